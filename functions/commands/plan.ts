/** `topicsmith plan`: what the worker would do, and what it would not. */
import type { Action } from '../core/action.ts';
import { permitted, shown } from '../core/approval.ts';
import { outcomeOf, type Pass } from '../core/pass.ts';
import type { HeldAction, TopicResource } from '../core/resource.ts';
import type { Key, Reason, Refusal } from '../core/topic.ts';
import { collected, type ExitCode, examples, Problem, type Register, type Shell, show, type Work } from './command.ts';
import { foreseeAll, worldOf } from './foresee.ts';
import { asApplied, readManifests } from './manifests.ts';
import { type ChoiceOptions, chosen, withChoice } from './objects.ts';

/** One thing that changes. `held`: it waits for approval; destructive and not held, it is approved. */
export type Change = HeldAction & { readonly held: boolean };

/**
 * What one object comes to. `unknown`: nobody could look, `refusals` says why. `refused`: nothing would be done, and
 * something is not as wanted. `unchanged`: nothing is to be done, `note` says why where the topic was not compared.
 */
export type Foreseen = Key & {
  readonly topic: string;
  readonly verdict: 'unchanged' | 'changes' | 'refused' | 'unknown';
  readonly changes: readonly Change[];
  readonly refusals: readonly Refusal[];
  /** what `topicsmith approve` releases; only for an object that is applied as it is */
  readonly hash?: string;
  readonly note?: string;
};

type Options = ChoiceOptions & { readonly filename?: readonly string[]; readonly recursive?: boolean };

export const register: Register = (program, run) => {
  withChoice(program.command('plan'))
    .summary('show what would be done, and do nothing')
    .description(
      'Shows what Topicsmith would do about objects, live ones or files not applied yet: looks as the worker does, and writes nothing.\n\nExit code: 0 nothing to do, 2 changes or refusals, 1 somebody could not look.',
    )
    .option('-f, --filename <path>', 'file, directory, or - for standard input; may be repeated', collected)
    .option('-R, --recursive', 'look for files in subdirectories too')
    .addHelpText(
      'after',
      examples(
        'topicsmith plan                     # all objects of the namespace',
        'topicsmith plan orders',
        'topicsmith plan -f topics/ -R       # before they are applied',
        'helm template . | topicsmith plan -f -',
        'topicsmith plan -A -o json',
      ),
    )
    .action(run(plan));
};

const plan: Work<Options> = async (shell, options, names) => {
  const kube = await shell.connect.kube(options);
  const paths = options.filename ?? [];
  if (paths.length === 0) {
    const world = await worldOf(shell, kube);
    const plans = await foreseeAll(shell, world, chosen(kube, names, options, shell.signal), foreseen);
    return told(shell, options, plans);
  }
  if (names.length > 0 || options.selector !== undefined || options.all)
    throw new Problem('names, --selector and --all do not go together with -f: use one of them');
  const written = await readManifests(shell, kube, paths, options.recursive ?? false);
  const { resources, claimants } = await asApplied(kube, written, shell.now(), shell.signal);
  const world = await worldOf(shell, { claimants });
  // the hash covers uid and generation, which a file does not have yet
  const withoutHash = (pass: Pass): Foreseen => {
    const { hash: _, ...plan } = foreseen(pass);
    return plan;
  };
  return told(shell, options, await foreseeAll(shell, world, once(resources), withoutHash));
};

async function* once<T>(item: T): AsyncGenerator<T> {
  yield item;
}

async function told(shell: Shell, options: Parameters<typeof show>[1], plans: readonly Foreseen[]): Promise<ExitCode> {
  const { planText } = await import('./render.ts');
  const summary = summaryOf(plans);
  const objects = plans.filter(({ verdict }) => verdict !== 'unchanged');
  await show(shell, options, {
    value: { summary, objects: plans },
    objects,
    text: (style) => planText(plans, summary, style),
  });
  if (summary.unknown > 0) return 1;
  return objects.length > 0 ? 2 : 0;
}

/** Objects by verdict; of those that change, `held`: how many wait for approval, `partlyRefused`: how many not wholly. */
export type PlanSummary = Record<Foreseen['verdict'], number> & {
  readonly held: number;
  readonly partlyRefused: number;
};

const summaryOf = (plans: readonly Foreseen[]): PlanSummary => {
  const count = (verdict: Foreseen['verdict']) => plans.filter((plan) => plan.verdict === verdict).length;
  return {
    changes: count('changes'),
    held: plans.filter(({ changes }) => changes.some(({ held }) => held)).length,
    partlyRefused: plans.filter(isPartlyRefused).length,
    refused: count('refused'),
    unchanged: count('unchanged'),
    unknown: count('unknown'),
  };
};

/** Some of what is wanted would be done, and some of it not. */
export const isPartlyRefused = ({ verdict, refusals }: Pick<Foreseen, 'verdict' | 'refusals'>): boolean =>
  verdict === 'changes' && refusals.length > 0;

/** What a pass would do, as data. */
export function foreseen(pass: Pass): Foreseen {
  const { resource, situation, plan: decided, failures } = pass;
  const about = { ...resource.key, topic: resource.topicName };
  if (situation === undefined || decided === undefined)
    return { ...about, verdict: 'unknown', changes: [], refusals: failures.map(asRefusal) };
  const { now, held, waiting } = permitted(decided, situation);
  const changes = [
    ...now.flatMap((action) => changesOf(action, resource, false)),
    ...held.flatMap((action) => changesOf(action, resource, true)),
  ];
  const observes = outcomeOf(pass, false).kind === 'Drift';
  const refusals = observes ? [] : decided.refusals;
  const note = decided.waitsFor ?? (observes ? leftAlone : noteOf(pass));
  const verdict = changes.length > 0 ? 'changes' : refusals.length > 0 ? 'refused' : 'unchanged';
  return {
    ...about,
    ...{ verdict, changes, refusals },
    ...(waiting !== undefined && { hash: waiting.hash }),
    ...(note !== undefined && { note }),
  };
}

const asRefusal = ({ reason, message }: { reason: Reason; message: string }): Refusal => ({ reason, message });

const leftAlone = 'spec.mode is Observe: the topic differs and is left alone, see topicsmith drift';

function noteOf({ resource, situation }: Pass): string | undefined {
  if (situation?.installation.selects(resource.labels) === false) return 'WATCH_LABEL_SELECTOR does not select it';
  return resource.mode === 'Paused' ? 'spec.mode is Paused: nobody looks at the topic' : undefined;
}

/** A creation is shown field by field, everything else as the status shows it. */
function changesOf(action: Action, resource: TopicResource, held: boolean): Change[] {
  const change = { ...shown(action), held };
  switch (action.type) {
    case 'CreateTopic':
      return [
        { ...change, field: 'topic', to: resource.topicName },
        ...fieldsOf(resource).map((field) => ({ ...change, ...field })),
      ];
    case 'SetConfig':
    case 'ResetConfig':
      return [{ ...change, field: `config.${action.key}` }];
    case 'AddFinalizer':
    case 'RemoveFinalizer':
      return [{ ...change, field: 'finalizer' }];
    case 'FinishMove':
      return [{ ...change, field: 'replicationFactor', to: String(action.to) }];
    default:
      return [change];
  }
}

function fieldsOf({ spec }: TopicResource): { field: string; to: string }[] {
  if ('reason' in spec) return [];
  const { numPartitions, replicationFactor, config } = spec;
  return [
    { field: 'numPartitions', to: String(numPartitions ?? "the brokers' default") },
    { field: 'replicationFactor', to: String(replicationFactor ?? "the brokers' default") },
    ...[...config].map(([key, value]) => ({ field: `config.${key}`, to: value })),
  ];
}
