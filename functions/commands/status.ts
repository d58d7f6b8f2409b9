/** `topicsmith status`: how the fleet is, and what waits. */
import { type ForwarderHealth, type QueueVariable, queueVariables } from '../core/inspection.ts';
import { asFailure, Failure } from '../core/outcome.ts';
import { type Condition, conditionIn, type TopicResource } from '../core/resource.ts';
import { reasons } from '../core/schema/reasons.ts';
import type { Key, Reason } from '../core/topic.ts';
import {
  type CommonOptions,
  examples,
  type Queues,
  queueUnset,
  type Register,
  type Shell,
  show,
  type Work,
} from './command.ts';
import { chosen } from './objects.ts';

/** How many objects say the same. `Unhandled`: no status is about the spec as it is now. */
export type ReasonCount = {
  readonly ready: Condition['status'];
  readonly reason: Reason | 'Unhandled';
  readonly objects: number;
  readonly meaning: string;
};

/** An object that is not finished. `since`: RFC 3339; absent when its object does not say. */
export type Unhandled = Key & { readonly reason: Reason | 'Unhandled'; readonly since?: string };

/** `depth`: approximate; absent when nobody could ask, and `problem` says why. */
export type QueueState = {
  readonly queue: QueueVariable;
  readonly depth?: { readonly waiting: number; readonly inFlight: number };
  readonly problem?: string;
};

/** `unknown`: nobody said where it is; `problem`: it could not be asked. */
export type ForwarderState = ForwarderHealth | { readonly problem: string } | { readonly unknown: string };

export type Fleet = {
  readonly objects: number;
  readonly reasons: readonly ReasonCount[];
  readonly oldest?: Unhandled;
  readonly queues: readonly QueueState[];
  readonly forwarder: ForwarderState;
};

export const register: Register = (program, run) => {
  program
    .command('status')
    .summary('show the fleet by reason, and what waits in the queues')
    .description(
      'Counts objects by what they say, names the one that waits longest, and shows what is in the queues, and the forwarder with its last tick where FORWARDER_URL says where it is. Asks no broker.\n\nExit code: 0 shown, 1 something could not be read.',
    )
    .addHelpText('after', examples('topicsmith status', 'topicsmith status -A', 'topicsmith status -A -o json'))
    .action(run(status));
};

const status: Work<object> = async (shell, options) => {
  const kube = await shell.connect.kube(options);
  const resources: TopicResource[] = [];
  for await (const page of chosen(kube, [], {}, shell.signal)) {
    resources.push(...page);
    shell.progress(`read ${resources.length}`);
  }
  shell.progress(undefined);
  const [queues, forwarder] = await Promise.all([
    shell.connect.queues().then((connected) => queueStates(shell, connected)),
    forwarderState(shell, options),
  ]);
  const fleet = fleetOf(resources, queues, forwarder);
  const { fleetText } = await import('./render.ts');
  await show(shell, options, {
    value: fleet,
    objects: resources.filter((resource) => sayingOf(resource).ready !== 'True').map(({ key }) => key),
    text: (style) => fleetText(fleet, shell.now(), style),
  });
  return 'problem' in forwarder || queues.some(({ problem }) => problem !== undefined) ? 1 : 0;
};

async function forwarderState({ connect, signal }: Shell, options: CommonOptions): Promise<ForwarderState> {
  const health = await connect.inspections(options).forwarder(signal).catch(asFailure);
  if (health instanceof Failure) return { problem: health.message };
  return (
    health ?? { unknown: "FORWARDER_URL is not set: it holds the address of the forwarder's pages, http://host:port" }
  );
}

const queueStates = (shell: Shell, queues: Queues): Promise<readonly QueueState[]> =>
  Promise.all(
    queueVariables.map(async (queue): Promise<QueueState> => {
      const depth = await queues.depth(queue, shell.signal).catch(asFailure);
      if (depth instanceof Failure) return { queue, problem: depth.message };
      return depth === undefined ? { queue, problem: queueUnset(queue) } : { queue, depth };
    }),
  );

/** What the objects say together. */
export function fleetOf(
  resources: readonly TopicResource[],
  queues: readonly QueueState[],
  forwarder: ForwarderState,
): Fleet {
  const oldest = oldestOf(resources);
  return {
    objects: resources.length,
    reasons: counts(resources),
    ...(oldest !== undefined && { oldest }),
    queues,
    forwarder,
  };
}

type Saying = Pick<ReasonCount, 'ready' | 'reason'>;

const unhandled: Saying = { ready: 'Unknown', reason: 'Unhandled' };

/** A status about an older spec says nothing about this one. */
function sayingOf({ status, generation }: TopicResource): Saying {
  const ready = conditionIn(status, 'Ready');
  if (ready === undefined || status?.observedGeneration !== generation) return unhandled;
  return { ready: ready.status, reason: ready.reason };
}

function counts(resources: readonly TopicResource[]): readonly ReasonCount[] {
  const groups = Map.groupBy(resources.map(sayingOf), ({ ready, reason }) => `${ready} ${reason}`);
  const rows = [...groups.values()].flatMap((same) =>
    same[0] === undefined ? [] : [{ ...same[0], objects: same.length }],
  );
  const rank = ({ ready }: Saying): number => ['True', 'Unknown', 'False'].indexOf(ready);
  return rows
    .sort((a, b) => rank(a) - rank(b) || b.objects - a.objects || (a.reason < b.reason ? -1 : 1))
    .map((row) => ({ ...row, meaning: meaningOf(row.reason) }));
}

const meaningOf = (reason: Reason | 'Unhandled'): string =>
  reason === 'Unhandled' ? 'Nobody has looked at the object as it is now yet.' : reasons[reason].meaning;

/** Of those that somebody has to work on still: the one that has waited longest. An edit's age is not in the object. */
function oldestOf(resources: readonly TopicResource[]): Unhandled | undefined {
  const waiting = resources.map(waits).filter((entry) => entry !== undefined);
  return waiting.sort(({ since: a = '9' }, { since: b = '9' }) => (a < b ? -1 : a > b ? 1 : 0))[0];
}

function waits(resource: TopicResource): Unhandled | undefined {
  const { key, createdAt, status } = resource;
  const { reason } = sayingOf(resource);
  const under = conditionIn(status, 'Reconciling');
  if (under !== undefined) return { ...key, reason, since: under.lastTransitionTime };
  if (reason !== 'Unhandled') return undefined;
  return { ...key, reason, ...(status === undefined && { since: createdAt }) };
}
