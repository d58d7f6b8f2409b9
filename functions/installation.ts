/** The settings of an installation, from environment variables. */
import { selectorIn } from './adapters/kube/labels.ts';
import { type Danger, dangers, defaultApprovals, type Installation } from './core/installation.ts';

/**
 * | variable | meaning |
 * |---|---|
 * | `KAFKA_CLUSTER_ID` | the only cluster this installation is for; empty: any |
 * | `APPROVAL_REQUIRED` | comma list of dangers (`core/installation.ts`) that wait for approval; absent: the usual ones; `none` |
 * | `REASSIGNMENT_BYTES_PER_SECOND` | limit on the traffic of moving replicas, for each broker; empty: none |
 * | `WATCH_LABEL_SELECTOR` | objects this installation is for, as kubectl's `-l`; empty: all |
 *
 * @throws Error one line that names the variable and what it must hold
 */
export function installationIn(env: NodeJS.ProcessEnv): Installation {
  return {
    clusterId: env.KAFKA_CLUSTER_ID || undefined,
    approvals: approvalsIn(env.APPROVAL_REQUIRED),
    moveBytesPerSecond: bytesIn(env.REASSIGNMENT_BYTES_PER_SECOND),
    selects: selectorIn(env.WATCH_LABEL_SELECTOR),
  };
}

function approvalsIn(list: string | undefined): ReadonlySet<Danger> {
  if (!list) return defaultApprovals;
  if (list.trim() === 'none') return new Set();
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !Object.hasOwn(dangers, name));
  if (unknown !== undefined)
    throw new Error(
      `APPROVAL_REQUIRED names "${unknown}": it has to be a comma list of ${Object.keys(dangers).join(', ')}, or none`,
    );
  return new Set(names as Danger[]);
}

function bytesIn(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const bytes = Number(text);
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw new Error(`REASSIGNMENT_BYTES_PER_SECOND is "${text}": it has to be a whole number from 1`);
  return bytes;
}
