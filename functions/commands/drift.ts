/** `topicsmith drift`: where topics differ from what their objects say, and nothing done about it. */
import { driftOf } from '../core/drift.ts';
import { isDifference, type Pass } from '../core/pass.ts';
import { bindingOf, type DriftEntry, type TopicResource } from '../core/resource.ts';
import type { Key, Reason } from '../core/topic.ts';
import { examples, type Register, show, type Work } from './command.ts';
import { foreseeAll, worldOf } from './foresee.ts';
import { type ChoiceOptions, chosen, withChoice } from './objects.ts';

/** `since` is known where the object's status has it: in mode Observe. */
export type Drift = Omit<DriftEntry, 'since'> & { readonly since?: string };

/**
 * What was found about one object. `notChecked`: somebody should have looked and could not. `skipped`: it is not meant to
 * be looked at. Neither says anything about the topic.
 */
export type Checked = Key & {
  readonly topic: string;
  readonly verdict: 'clean' | 'drifted' | 'notChecked' | 'skipped';
  readonly drift: readonly Drift[];
  readonly reason?: Reason;
  readonly message?: string;
};

export const register: Register = (program, run) => {
  withChoice(program.command('drift'))
    .summary('show where topics differ from their objects')
    .description(
      'Compares topics with what their objects say, and changes nothing.\n\nExit code: 0 clean, 3 drift, 1 something could not be checked.',
    )
    .addHelpText(
      'after',
      examples(
        'topicsmith drift                    # all objects of the namespace',
        'topicsmith drift orders clicks',
        'topicsmith drift -A -o json         # for a CI job: the exit code says it',
        "topicsmith drift -l 'team=a' -o name | xargs -r topicsmith reconcile",
      ),
    )
    .action(run(drift));
};

const drift: Work<ChoiceOptions> = async (shell, options, names) => {
  const kube = await shell.connect.kube(options);
  const world = await worldOf(shell, kube);
  const found = await foreseeAll(shell, world, chosen(kube, names, options, shell.signal), checked);
  const { driftText } = await import('./render.ts');
  const summary = summaryOf(found);
  await show(shell, options, {
    value: { summary, objects: found },
    objects: found.filter(({ verdict }) => verdict === 'drifted'),
    text: (style) => driftText(found, summary, style),
  });
  // drift that was found outweighs what could not be looked at: the summary has both
  if (summary.drifted > 0) return 3;
  return summary.notChecked > 0 ? 1 : 0;
};

export type DriftSummary = Record<Checked['verdict'], number>;

const summaryOf = (found: readonly Checked[]): DriftSummary => {
  const count = (verdict: Checked['verdict']) => found.filter((object) => object.verdict === verdict).length;
  return {
    clean: count('clean'),
    drifted: count('drifted'),
    notChecked: count('notChecked'),
    skipped: count('skipped'),
  };
};

/** What a look found, as data. */
export function checked(pass: Pass): Checked {
  const { resource, situation, plan, failures } = pass;
  const about = { ...resource.key, topic: resource.topicName };
  const without = (verdict: Checked['verdict'], why: { reason?: Reason; message: string }): Checked => ({
    ...about,
    ...{ verdict, drift: [], ...why },
  });
  const [failure] = failures;
  if (failure !== undefined) return without('notChecked', { reason: failure.reason, message: failure.message });
  const left = leftOut(pass);
  if (left !== undefined) return without('skipped', left);
  const serious = plan?.refusals.find(({ reason }) => !isDifference(reason));
  if (situation?.observed === undefined || plan === undefined || (serious !== undefined && plan.actions.length === 0))
    return without('notChecked', serious ?? { message: 'it was not looked at' });
  const fields = driftOf(resource, situation.observed, plan)
    // a topic that the object was never bound to has no id that it should have
    .filter(({ field }) => field !== 'topicId' || bindingOf(resource) !== undefined)
    .map((entry) => withSince(resource, entry));
  return { ...about, verdict: fields.length > 0 ? 'drifted' : 'clean', drift: fields };
}

function leftOut({ resource, situation }: Pass): { reason?: Reason; message: string } | undefined {
  if (situation?.installation.selects(resource.labels) === false)
    return { message: 'WATCH_LABEL_SELECTOR does not select it' };
  if (resource.deleting) return { message: 'the object is being deleted' };
  return resource.mode === 'Paused' ? { reason: 'Paused', message: 'spec.mode is Paused' } : undefined;
}

function withSince({ status }: TopicResource, entry: Omit<DriftEntry, 'since'>): Drift {
  const since = status?.drift?.find(({ field }) => field === entry.field)?.since;
  return { ...entry, ...(since !== undefined && { since }) };
}
