/** The command line of the benchmark. */
import { parseArgs } from 'node:util';

/** In the order in which they run. Those of the fleet work on the same objects, one after another. */
export const phaseNames = [
  'idle',
  'create',
  'resync',
  'drift',
  'grow',
  'configure',
  'delete',
  'requests',
] as const satisfies string[];
export type PhaseName = (typeof phaseNames)[number];

export const deletionPolicies = ['Delete', 'Retain'] as const;
export type DeletionPolicy = (typeof deletionPolicies)[number];

export type Options = {
  /** objects per phase */
  readonly count: number;
  /** of all objects */
  readonly deletionPolicy: DeletionPolicy;
  /** objects one after another, in phase `idle` */
  readonly singles: number;
  /** objects that go through all loads before one is measured */
  readonly warmUp: number;
  /** seconds of silence before each request of phase `idle` */
  readonly pause: number;
  readonly phases: ReadonlySet<PhaseName>;
  /** directory for the data of all servers; undefined: in memory, where there is a place for it */
  readonly data: string | undefined;
  readonly json: boolean;
  readonly profile: boolean;
};

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `usage: npm run bench [-- OPTION ...]

  --count N             objects per phase, 1 to 10000 (default 200)
  --deletion-policy P   Delete or Retain, for all objects (default Delete, the dearer: it takes a finalizer)
  --singles N           objects one after another while all is idle, 2 to 1000 (default 50)
  --warm-up N           objects that go through all loads before one is measured, 0 to 1000 (default 200): what has just been
                        started still compiles what it runs
  --pause N             seconds of silence before each of those requests, 0 to 60 (default 0)
  --phases A,B          only these: ${phaseNames.join(', ')} (default all; what one of them needs is done too)
  --resync N            a tick over N objects in sync: --count N --phases resync --deletion-policy Retain
  --fleet-drift N       N of 2 N topics are changed by hand, 1 to 5000: --count 2N --phases drift --deletion-policy Retain
  --data DIR            where the servers keep their data (default: in memory, /dev/shm, where it has room)
  --profile             sample where our processes spend their CPU time; slows them down a little
  --json                print one JSON object instead of tables
  --help                print this

Starts a system of its own and ends it again.
`;

/** @throws UsageError in one line; @returns 'help' where that was asked for */
export function optionsOf(args: readonly string[]): Options | 'help' {
  const values = parsed(args);
  if (values.help) return 'help';
  return {
    count: wholeNumber('--count', values.count, 1, 10_000),
    deletionPolicy: policyOf(values['deletion-policy']),
    singles: wholeNumber('--singles', values.singles, 2, 1_000),
    warmUp: wholeNumber('--warm-up', values['warm-up'], 0, 1_000),
    pause: wholeNumber('--pause', values.pause, 0, 60),
    phases: phasesOf(values.phases),
    ...atScale(values),
    data: values.data,
    json: values.json,
    profile: values.profile,
  };
}

/** Only objects that keep their topics make it in minutes: the finalizer is not what is looked at. */
function atScale({
  resync,
  'fleet-drift': drifted,
}: {
  resync?: string | undefined;
  'fleet-drift'?: string | undefined;
}) {
  if (resync !== undefined && drifted !== undefined)
    throw new UsageError('--resync and --fleet-drift are two measurements: one at a time');
  const deletionPolicy = 'Retain' as const;
  if (resync !== undefined)
    return { deletionPolicy, count: wholeNumber('--resync', resync, 1, 10_000), phases: phasesOf('resync') };
  if (drifted !== undefined)
    return { deletionPolicy, count: 2 * wholeNumber('--fleet-drift', drifted, 1, 5_000), phases: phasesOf('drift') };
  return {};
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        count: { type: 'string', default: '200' },
        'deletion-policy': { type: 'string', default: 'Delete' },
        singles: { type: 'string', default: '50' },
        'warm-up': { type: 'string', default: '200' },
        pause: { type: 'string', default: '0' },
        phases: { type: 'string', default: phaseNames.join(',') },
        resync: { type: 'string' },
        'fleet-drift': { type: 'string' },
        data: { type: 'string' },
        json: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new UsageError(`${option} is "${text}": it has to be a whole number from ${least} to ${most}`);
  return value;
}

function policyOf(text: string): DeletionPolicy {
  const policy = deletionPolicies.find((name) => name === text);
  if (policy === undefined)
    throw new UsageError(`--deletion-policy is "${text}": there are ${deletionPolicies.join(' and ')}`);
  return policy;
}

function phasesOf(list: string): ReadonlySet<PhaseName> {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isPhase(name));
  if (unknown !== undefined) throw new UsageError(`--phases names "${unknown}": there are ${phaseNames.join(', ')}`);
  return new Set(names.filter(isPhase));
}

const isPhase = (name: string): name is PhaseName => (phaseNames as readonly string[]).includes(name);
