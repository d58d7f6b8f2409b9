/** Bundles that cannot start processes or evaluate code, whatever a package in them would do. */
import type { Plugin } from 'esbuild';

const advice =
  'exec in a kubeconfig and credential_process in an AWS profile work with the command line only: use a token, or the role of the pod or function';

/**
 * What stands in for a module of Node. client-node brings plugins that run commands (`exec`, `gcp`, `azure`) and one that
 * evaluates JSONPath, the SDK one for `credential_process`, prom-client one for clusters of processes: all of them are
 * loaded, none is used here. Loading has to work, a call says what to do instead.
 */
const refusals: Readonly<Record<string, string>> = {
  child_process: `
    const refuse = () => { throw new Error(${JSON.stringify(`this program starts no processes: ${advice}`)}); };
    module.exports = { exec: refuse, execFile: refuse, execFileSync: refuse, execSync: refuse, fork: refuse, spawn: refuse, spawnSync: refuse };`,
  cluster: 'module.exports = {};',
  vm: 'module.exports = {};',
};

export const sealed: Plugin = {
  name: 'sealed',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?(child_process|cluster|vm)$/ }, ({ path }) => ({
      path: path.replace(/^node:/, ''),
      namespace: 'sealed',
    }));
    onLoad({ filter: /.*/, namespace: 'sealed' }, ({ path }) => ({ contents: refusals[path] ?? '', loader: 'js' }));
  },
};
