/** The checks of an API server and what is installed there. */
import type { Identity } from '../core/inspection.ts';
import { type Check, once } from './check.ts';
import { judgeClock } from './clock.ts';
import {
  definitionPath,
  judgeDefinition,
  judgePolicy,
  judgeRights,
  judgeServer,
  policyPaths,
  rightsOf,
  rightsOfYou,
  servedPath,
} from './kube.ts';
import type { Inspections } from './list.ts';

const identities: readonly Identity[] = ['forwarder', 'resync', 'reconciler'];

export function kubeChecks({ kube: connect }: Inspections): readonly Check[] {
  const area = 'Kubernetes';
  const kube = once(connect);
  const server = once(async (signal) => (await kube(signal)).server(signal));
  const mend = 'KUBECONFIG, --kubeconfig and --context say which API server to use';
  const needs = ['API server'];
  const check = (name: string, run: Check['run']): Check => ({ area, name, needs, mend, run });
  return [
    {
      area,
      name: 'API server',
      mend,
      run: async (signal) => {
        const { url, version } = await server(signal);
        return judgeServer(url, version);
      },
    },
    check('API server clock', async (signal) => judgeClock('the API server', (await server(signal)).skewMs)),
    check('definition', async (signal) => {
      const { stored } = await kube(signal);
      const found = await stored(definitionPath, signal);
      return found === 'forbidden' ? judgeDefinition(found, await stored(servedPath, signal)) : judgeDefinition(found);
    }),
    check('config rules', async (signal) => {
      const { stored } = await kube(signal);
      return judgePolicy(await Promise.all(policyPaths.map((path) => stored(path, signal))));
    }),
    check('your rights', async (signal) =>
      judgeRights('you', await (await kube(signal)).rights('you', rightsOfYou, signal)),
    ),
    ...identities.map((who) =>
      check(`rights of ${who}`, async (signal) =>
        judgeRights(who, await (await kube(signal)).rights(who, rightsOf(who), signal)),
      ),
    ),
  ];
}
