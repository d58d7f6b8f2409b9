/** What a command is given, and what it gives back. A new one is a file like its neighbours and a line in `cli.ts`. */
import type { Command } from 'commander';
import type { QueueVariable } from '../core/inspection.ts';
import type { Installation } from '../core/installation.ts';
import type { World } from '../core/look.ts';
import type { PerItem } from '../core/outcome.ts';
import type { DeadLetters, Requests, Resources, TopicList } from '../core/ports.ts';
import type { TopicResource } from '../core/resource.ts';
import type { Key } from '../core/topic.ts';
import type { Inspections } from '../doctor/list.ts';
import type { Lookalike } from '../settings/lookalikes.ts';
import type { Format, Style } from './render.ts';

/** 0 as wanted, 1 it did not work or nobody could look, 2 a plan has changes, 3 drift. */
export type ExitCode = 0 | 1 | 2 | 3;

/** Flags that every command has. */
export type CommonOptions = {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly profile?: string;
  readonly region?: string;
  readonly output: Format;
};

/** KafkaTopics at the API server, as the flags choose them. */
export type Kube = {
  /** what the flags or the context name; undefined: all that the installation watches */
  readonly namespace: string | undefined;
  /** whether the installation is for its namespace (`WATCH_NAMESPACES`): of others nothing is known */
  isWatched(key: Key): boolean;
  /** of others than the watched ones it says that they are gone, as the worker takes them */
  read(keys: readonly Key[], signal: AbortSignal): Promise<PerItem<string, TopicResource | 'gone'>>;
  /** pages of the objects of `namespace` */
  page: Resources['page'];
  /** in all watched namespaces, whatever the flags say: as the worker sees them */
  claimants: Resources['claimants'];
  /** as in `adapters/kube/strimzi.ts`, in `namespace`. @throws Problem where Strimzi is not installed */
  strimziTopics(signal: AbortSignal): Promise<readonly unknown[]>;
  /** as in `adapters/kube/annotate.ts` */
  annotate(resource: TopicResource, annotation: string, value: string, signal: AbortSignal): Promise<TopicResource>;
};

/** What to say of a queue whose variable is not set. */
export const queueUnset = (variable: QueueVariable): string => `${variable} is not set: it holds the URL of the queue`;

export type Queues = {
  /** @throws Problem when `RECONCILE_QUEUE_URL` is not set */
  requests(): Requests;
  /** of that queue. @throws Problem when a variable with its URLs is not set */
  deadLetters(queue: 'reconcile' | 'ticks'): DeadLetters;
  /** approximate; undefined when its variable is not set. @throws Failure */
  depth(queue: QueueVariable, signal: AbortSignal): Promise<{ waiting: number; inFlight: number } | undefined>;
};

/** Connections are made by the first call of each, so that `--help` loads no client. @throws Error one line */
export type Connections = {
  kube(options: CommonOptions): Promise<Kube>;
  topics(): Promise<World['topics'] & TopicList>;
  queues(): Promise<Queues>;
  installation(): Promise<Installation>;
  /** what only `doctor` and `status` look at */
  inspections(options: CommonOptions): Inspections;
  close(): Promise<void>;
};

/** Where a command runs: results go to `out`, everything else to `err`. */
export type Shell = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** of results; only for a terminal, and not with NO_COLOR */
  readonly colour: boolean;
  /** columns of the terminal */
  readonly width: number;
  /** replaces the last line of progress on a terminal, and does nothing elsewhere; undefined takes it away */
  readonly progress: (line: string | undefined) => void;
  /** undefined without a terminal: nobody is there to answer */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** the whole standard input */
  readonly input: () => Promise<string>;
  readonly now: () => Date;
  /** waits so many ms, or until the signal is aborted; never rejects */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** variables of the environment that look like settings of ours and are none */
  readonly strays: readonly Lookalike[];
  readonly connect: Connections;
};

/** Something that only a person can mend: one line that says what to do. */
export class Problem extends Error {
  override readonly name = 'Problem';
}

/** The work of a command. `args` are its arguments, `options` its flags with the common ones. */
export type Work<Options> = (
  shell: Shell,
  options: Options & CommonOptions,
  args: readonly string[],
) => Promise<ExitCode>;

/** Makes work an action of commander's: `command.action(run(work))`. */
export type Run = <Options>(work: Work<Options>) => (...args: unknown[]) => Promise<void>;

/** Describes a command and its flags to commander. */
export type Register = (program: Command, run: Run) => void;

/** Collects a flag that may be repeated, for commander. */
export const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** The end of a help text. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;

/** What a command has to show, in every form it can take. */
export type View = {
  /** for `-o json` and `-o yaml` */
  readonly value: unknown;
  /** for `-o name` */
  readonly objects: readonly Key[];
  /** for `-o table` and `-o wide` */
  readonly text: (style: Style) => string;
};

/** Writes a result in the form that `-o` asks for. */
export async function show(shell: Shell, { output, allNamespaces = false }: CommonOptions, view: View): Promise<void> {
  const { structured, names } = await import('./render.ts');
  if (output === 'json' || output === 'yaml') return shell.out(await structured(output, view.value));
  if (output === 'name') return shell.out(names(view.objects));
  shell.out(view.text({ colour: shell.colour, wide: output === 'wide', namespaces: allNamespaces }));
}
