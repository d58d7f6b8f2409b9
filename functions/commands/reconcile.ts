/** `topicsmith reconcile`: asks for a look now, and waits for what comes of it. */
import { randomUUID } from 'node:crypto';
import { annotations, kind } from '../core/api.ts';
import { asFailure, Failure } from '../core/outcome.ts';
import type { Envelope } from '../core/ports.ts';
import { messageVersion } from '../core/request.ts';
import type { TopicResource } from '../core/resource.ts';
import { slices } from '../core/slices.ts';
import { type Key, keyOf } from '../core/topic.ts';
import { examples, type Kube, Problem, type Register, type Shell, show, type Work } from './command.ts';
import { duration } from './duration.ts';
import { textOf } from './manifests.ts';
import { type ChoiceOptions, chosen, distinct, keyOfLine, readAll, withChoice } from './objects.ts';
import { type Awaited, awaitOutcomes } from './outcomes.ts';
import { bar } from './render.ts';

type Options = ChoiceOptions & {
  readonly fromFile?: string;
  readonly annotate?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
};

export const register: Register = (program, run) => {
  withChoice(program.command('reconcile'))
    .summary('ask for a look at objects now')
    .description(
      `Asks for a look at each ${kind} now, in place of the next edit or periodic look.\n\nExit code: 0 asked (with --wait: all are Ready), 1 something could not be asked for, or is not Ready.`,
    )
    .option('--from-file <file>', 'names, one a line, as NAME or NAMESPACE/NAME; - for standard input')
    .option('--annotate', 'ask through the API server only: needs no access to the queue')
    .option('-w, --wait', 'wait for what comes of it, and show it')
    .option('--timeout <time>', 'longest wait, as in 90s or 5m', '60s')
    .addHelpText(
      'after',
      examples(
        'topicsmith reconcile orders --wait',
        "topicsmith reconcile -A -l 'team=a' --wait --timeout 5m",
        'topicsmith reconcile --all',
        'topicsmith drift -o name | topicsmith reconcile --from-file -',
      ),
    )
    .action(run(reconcile));
};

const reconcile: Work<Options> = async (shell, options, names) => {
  const timeoutMs = duration('--timeout', options.timeout);
  const kube = await shell.connect.kube(options);
  const resources = await objectsOf(shell, kube, names, options);
  if (resources.length === 0)
    throw new Problem('there is no object to ask for: kubectl get kafkatopics -A shows those that are there');
  await refuseUnselected(shell, resources);
  // A pass that finds everything as it was writes nothing, so a message alone leaves no trace to wait for. The annotation
  // does: the status echoes it once a pass has been over the object, whoever's message started that pass.
  const asked = options.wait || options.annotate ? await annotateAll(shell, kube, resources) : resources;
  // Before the message is sent: what it starts has to find the annotation.
  if (!options.annotate) await sendAll(shell, resources);
  if (!options.wait) {
    shell.err(`Asked for ${resources.length} ${resources.length === 1 ? 'object' : 'objects'}.\n`);
    if (options.output !== 'table') await showKeys(shell, options, resources);
    return 0;
  }
  const outcomes = await awaitOutcomes(shell, kube, asked, timeoutMs);
  const { outcomesText } = await import('./render.ts');
  await show(shell, options, {
    value: { objects: outcomes },
    objects: outcomes.filter((outcome) => !isFine(outcome)),
    text: (style) => outcomesText(outcomes, style),
  });
  return outcomes.every(isFine) ? 0 : 1;
};

const isFine = ({ ready, handled }: Awaited): boolean => handled && (ready === 'True' || ready === 'Gone');

const showKeys = (shell: Shell, options: Parameters<typeof show>[1], resources: readonly TopicResource[]) =>
  show(shell, options, {
    value: { objects: resources.map(({ key }) => key) },
    objects: resources.map(({ key }) => key),
    text: () => '',
  });

async function objectsOf(shell: Shell, kube: Kube, names: readonly string[], options: Options) {
  const { fromFile, selector, all } = options;
  const given = [names.length > 0, selector !== undefined, all, fromFile !== undefined].filter(Boolean).length;
  if (given !== 1) throw new Problem('say which objects: names, --selector, --all or --from-file, one of them');
  if (fromFile !== undefined) return readAll(kube, await keysIn(shell, kube, fromFile), shell.signal);
  const resources: TopicResource[] = [];
  for await (const batch of chosen(kube, names, options, shell.signal)) resources.push(...batch);
  return resources;
}

async function keysIn(shell: Shell, kube: Kube, file: string): Promise<readonly Key[]> {
  const lines = (file === '-' ? await shell.input() : textOf(file)).split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => keyOfLine(kube, line));
  return distinct(keys);
}

/** They would be let go without a word, and be waited for in vain. */
async function refuseUnselected(shell: Shell, resources: readonly TopicResource[]): Promise<void> {
  const { selects } = await shell.connect.installation();
  const [first, ...more] = resources.filter(({ labels }) => !selects(labels));
  if (first === undefined) return;
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  throw new Problem(
    `WATCH_LABEL_SELECTOR does not select ${keyOf(first.key)}${others}: give it the label, or leave it out`,
  );
}

async function annotateAll(
  shell: Shell,
  kube: Kube,
  resources: readonly TopicResource[],
): Promise<readonly TopicResource[]> {
  const receipt = `${shell.now().toISOString()} ${randomUUID()}`;
  const asked: TopicResource[] = [];
  const queue = resources.values();
  const lane = async () => {
    for (const resource of queue) {
      asked.push(await annotateOne(kube, resource, receipt, shell.signal));
      shell.progress(bar('asked for', asked.length, resources.length));
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  shell.progress(undefined);
  return asked;
}

/** It says nothing about the object's state, so it goes on whatever was written meanwhile. */
async function annotateOne(kube: Kube, resource: TopicResource, receipt: string, signal: AbortSignal) {
  let current = resource;
  for (let tries = 0; ; tries++) {
    try {
      return await kube.annotate(current, annotations.reconcileRequestedAt, receipt, signal);
    } catch (error) {
      if (tries === 5 || asFailure(error).reason !== 'ObservationOutdated') throw error;
      [current = current] = await readAll(kube, [resource.key], signal);
    }
  }
}

const sendAtOnce = 500;

async function sendAll(shell: Shell, resources: readonly TopicResource[]) {
  const requests = (await shell.connect.queues()).requests();
  let sent = 0;
  for (const batch of slices(resources, sendAtOnce)) {
    const outcomes = [...(await requests.send(batch.map(manualEnvelope), shell.signal)).values()];
    const failure = outcomes.find((outcome) => outcome instanceof Failure);
    sent += outcomes.filter((outcome) => outcome === 'sent').length;
    if (failure instanceof Failure)
      throw new Problem(
        `asked for ${sent} of ${resources.length}, then: ${failure.message}; asking again does no harm`,
      );
    shell.progress(bar('sent', sent, resources.length));
  }
  shell.progress(undefined);
}

/** Random ids: a queue remembers those of the last five minutes, and asking twice has to be heard twice. */
const manualEnvelope = ({ key, topicName }: TopicResource): Envelope => ({
  request: { v: messageVersion, ...key, trigger: 'manual', id: randomUUID() },
  topicName,
  deduplicationId: randomUUID(),
});
