/** Helm, built from its Go module: for `infra/install.yaml` and the tests of the chart. */
import { join } from 'node:path';
import { obtain, type Progress } from './artifacts.ts';
import { goPrograms } from './go.ts';

export const HELM_VERSION = '4.3.1';

const stamp = `-X helm.sh/helm/v4/internal/version.version=v${HELM_VERSION}`;

const helmBinary = goPrograms({
  title: `Helm ${HELM_VERSION}`,
  module: join(import.meta.dirname, 'helm'),
  files: ['go.mod', 'go.sum'],
  flags: ['-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${stamp}`],
  packages: ['helm.sh/helm/v4/cmd/helm'],
  output: 'helm',
});

/** The path of the program, which is built first if it is not in the cache. @throws MissingTool */
export const helmPath = async (progress: Progress, signal?: AbortSignal): Promise<string> =>
  join(await obtain(helmBinary, progress, signal), 'helm');
