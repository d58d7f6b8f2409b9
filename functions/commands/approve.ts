/** `topicsmith approve`: shows what waits, asks, and releases exactly that. */
import { annotations, kind, plural } from '../core/api.ts';
import { asFailure } from '../core/outcome.ts';
import type { HeldPlan, TopicResource } from '../core/resource.ts';
import { keyOf } from '../core/topic.ts';
import { examples, type Kube, Problem, type Register, type Shell, show, type Work } from './command.ts';
import { consent } from './consent.ts';
import { keyIn, readAll } from './objects.ts';

type Options = { readonly yes?: boolean };

export const register: Register = (program, run) => {
  program
    .command('approve')
    .summary('release what waits for approval')
    .description(
      `Shows what is held back for a ${kind} (status.plan), asks, and approves exactly that. What is held differently by then is not released. Without a terminal it takes --yes.\n\nExit code: 0 approved, 1 nothing was changed.`,
    )
    .argument('<name>', `name of a ${kind} object`)
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples('topicsmith approve orders', 'topicsmith approve orders -n shop --yes'))
    .action(run(approve));
};

const approve: Work<Options> = async (shell, options, [name = '']) => {
  const kube = await shell.connect.kube(options);
  const shown = await readOne(kube, name, shell.signal);
  const plan = waitingPlan(shown);
  const { heldText } = await import('./render.ts');
  await show(shell, options, {
    value: { ...shown.key, topic: shown.topicName, approved: shown.approvedHash === plan.hash, plan },
    objects: [shown.key],
    text: (style) => heldText(shown.key, shown.topicName, plan, style),
  });
  if (shown.approvedHash === plan.hash) return told(shell, 'It is approved already: it is being done, or about to be.');
  await consent(shell, options, { question: 'Approve this?', verb: 'approves', refused: 'it was not approved' });
  await annotateAsShown(kube, shown, plan, shell.signal);
  return told(
    shell,
    `Approved. To see how it goes: topicsmith reconcile ${shown.key.name} -n ${shown.key.namespace} --wait`,
  );
};

function told(shell: Shell, line: string): 0 {
  shell.err(`${line}\n`);
  return 0;
}

async function readOne(kube: Kube, name: string, signal: AbortSignal): Promise<TopicResource> {
  const [resource] = await readAll(kube, [keyIn(kube, name)], signal);
  return resource as TopicResource;
}

/** @throws Problem when nothing waits, or what waits is about an older spec */
function waitingPlan({ key, status, generation }: TopicResource): HeldPlan {
  const plan = status?.plan;
  if (plan === undefined)
    throw new Problem(
      `nothing waits for approval at ${keyOf(key)}: topicsmith plan ${key.name} -n ${key.namespace} shows what would be done`,
    );
  if (status?.observedGeneration !== generation)
    throw new Problem(
      `${keyOf(key)} has been edited and not been looked at since, so what waits may be another plan by now: try again in a moment`,
    );
  return plan;
}

/** The object may have been written meanwhile; it must not be another one, nor wait for something else. */
async function annotateAsShown(
  kube: Kube,
  shown: TopicResource,
  { hash }: HeldPlan,
  signal: AbortSignal,
): Promise<void> {
  let current = shown;
  for (let tries = 0; tries < 3; tries++) {
    try {
      return void (await kube.annotate(current, annotations.approve, hash, signal));
    } catch (error) {
      if (asFailure(error).reason !== 'ObservationOutdated') throw error;
      current = await readOne(kube, shown.key.name, signal);
      if (current.uid !== shown.uid || current.generation !== shown.generation || current.status?.plan?.hash !== hash)
        throw new Problem(
          `nothing was changed: what waits at ${keyOf(shown.key)} is not what was shown any more: look again`,
        );
    }
  }
  throw new Problem(
    `nothing was changed: ${keyOf(shown.key)} is being written all the time; kubectl get ${plural} ${shown.key.name} -o yaml shows by whom`,
  );
}
