/** Helm, built from its Go module: for `infra/install.yaml` and the tests of the chart. */
import { join } from 'node:path';
import { type Artifact, obtain, type Progress } from './artifacts.ts';
import { run } from './process.ts';

const sources = join(import.meta.dirname, 'helm');
export const HELM_VERSION = '4.3.1';

const stamp = `-X helm.sh/helm/v4/internal/version.version=v${HELM_VERSION}`;
const buildArgs = ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${stamp}`];

const helmBinary: Artifact = {
  name: 'helm',
  doing: `building Helm ${HELM_VERSION} with Go (once; takes some minutes)`,
  sources: ['go.mod', 'go.sum'].map((file) => join(sources, file)),
  key: [...buildArgs, process.platform, process.arch].join('\n'),
  tools: ['go'],
  lock: 'go',
  build: (into, signal) =>
    run('go', [...buildArgs, '-o', join(into, 'helm'), 'helm.sh/helm/v4/cmd/helm'], {
      cwd: sources,
      env: { ...process.env, CGO_ENABLED: '0' },
      signal,
    }),
};

/** The path of the program, which is built first if it is not in the cache. @throws MissingTool */
export const helmPath = async (progress: Progress, signal?: AbortSignal): Promise<string> =>
  join(await obtain(helmBinary, progress, signal), 'helm');
