/** What the attributes of the queues say: pure functions from facts to findings. */
import { type Finding, failed, notChecked, ok, warning } from './check.ts';
import shipped from './shipped.generated.json' with { type: 'json' };

export type QueueName = keyof typeof shipped.queues;
export const queueNames = Object.keys(shipped.queues) as readonly QueueName[];

type Definition = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly deadLetters?: QueueName;
  readonly maxReceiveCount?: number;
  readonly timeoutSeconds?: number;
};
type Attributes = Readonly<Record<string, string>>;
/** `breaks`: it does not work like this; else it only differs. */
type Problem = { readonly says: string; readonly breaks: boolean };

/** Where a queue sends what failed too often; undefined for dead-letter queues. */
export const deadLettersOf = (queue: QueueName): QueueName | undefined => definitionOf(queue).deadLetters;

/** The queue whose dead letters end here. */
const sourceOf = (queue: QueueName): QueueName | undefined => queueNames.find((name) => deadLettersOf(name) === queue);

const definitionOf = (queue: QueueName): Definition => shipped.queues[queue] as Definition;

/** What can be said when there are no attributes. The variable is that of whoever runs doctor: what runs has its own. */
export const unset = (queue: QueueName): Finding =>
  notChecked(`${queue} is not set`, `set it to the URL of the queue ${definitionOf(queue).name}`);
export const forbidden = (): Finding =>
  notChecked('you may not read the attributes of the queue', 'grant sqs:GetQueueAttributes to whoever runs doctor');

/**
 * The attributes of a queue against `infra/queues.yml`, its only definition.
 *
 * @param attributes as GetQueueAttributes answers; servers that only speak the protocol leave some out
 * @param other attributes of its dead-letter queue, or of the queue whose dead letters it takes, where they are known
 */
export function judgeQueue(queue: QueueName, attributes: Attributes, other: Attributes | undefined): Finding {
  const definition = definitionOf(queue);
  const problems = [
    ...attributeProblems(definition, attributes),
    ...redriveProblems(definition, attributes, other),
    ...allowProblems(queue, attributes, other),
  ];
  const silent = Object.keys(definition.attributes).filter((name) => isSilent(name, attributes));
  const note = silent.length === 0 ? '' : ` (${silent.length} of its attributes are not reported by this server)`;
  if (problems.length === 0) return ok(`${definition.name} is as infra/queues.yml says${note}`);
  const says = problems.map(({ says }) => says).join('; ');
  const mend = 'deploy the queues of infra/queues.yml again, or set these attributes by hand';
  return problems.some(({ breaks }) => breaks) ? failed(says, mend) : warning(says, mend);
}

/** SQS names this one for FIFO queues only, and says nothing of its own encryption where there is another. */
const isSilent = (name: string, attributes: Attributes): boolean =>
  attributes[name] === undefined &&
  name !== 'FifoQueue' &&
  !(name === 'SqsManagedSseEnabled' && isEncrypted(attributes));

const isEncrypted = ({ KmsMasterKeyId }: Attributes): boolean => Boolean(KmsMasterKeyId);

function attributeProblems({ attributes: wanted, timeoutSeconds }: Definition, found: Attributes): Problem[] {
  return Object.entries(wanted).flatMap(([name, value]): Problem[] => {
    if (isSilent(name, found)) return [];
    const is = found[name];
    if (name === 'VisibilityTimeout' && timeoutSeconds !== undefined)
      return visibilityProblems(is, value, timeoutSeconds);
    if (name === 'FifoQueue' && is !== 'true') return [{ says: 'it is no FIFO queue', breaks: true }];
    if (name === 'SqsManagedSseEnabled' && isEncrypted(found)) return [];
    return is === value ? [] : [{ says: `${name} is ${is}, not ${value}`, breaks: false }];
  });
}

/** Six times the timeout. @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
function visibilityProblems(is: string | undefined, wanted: string, timeoutSeconds: number): Problem[] {
  const least = 6 * timeoutSeconds;
  if (Number(is) < least)
    return [
      {
        says: `VisibilityTimeout is ${is}: less than ${least}, six times the timeout of its function, so a message could be worked on twice at a time`,
        breaks: true,
      },
    ];
  return is === wanted ? [] : [{ says: `VisibilityTimeout is ${is}, not ${wanted}`, breaks: false }];
}

/** The worker counts receives by the definition: it says `DeadLettered` at the last one. */
function redriveProblems(
  { deadLetters, maxReceiveCount }: Definition,
  { RedrivePolicy }: Attributes,
  dead: Attributes | undefined,
): Problem[] {
  if (deadLetters === undefined) return [];
  if (!RedrivePolicy) return [{ says: 'it has no dead-letter queue: what fails comes back for ever', breaks: true }];
  const { deadLetterTargetArn: target, maxReceiveCount: count } = JSON.parse(RedrivePolicy);
  return [
    ...(dead?.QueueArn !== undefined && target !== dead.QueueArn
      ? [{ says: `its dead letters go to ${target}, and ${deadLetters} names ${dead.QueueArn}`, breaks: true }]
      : []),
    ...(Number(count) === maxReceiveCount
      ? []
      : [{ says: `maxReceiveCount is ${count}, and the function counts to ${maxReceiveCount}`, breaks: true }]),
  ];
}

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html, RedriveAllowPolicy */
function allowProblems(
  queue: QueueName,
  { RedriveAllowPolicy }: Attributes,
  source: Attributes | undefined,
): Problem[] {
  if (sourceOf(queue) === undefined || !RedriveAllowPolicy) return [];
  const { redrivePermission, sourceQueueArns = [] } = JSON.parse(RedriveAllowPolicy);
  if (redrivePermission === 'denyAll') return [{ says: 'RedriveAllowPolicy lets no queue send here', breaks: true }];
  const arn = source?.QueueArn;
  return redrivePermission !== 'byQueue' || arn === undefined || sourceQueueArns.includes(arn)
    ? []
    : [{ says: `RedriveAllowPolicy does not let ${arn} send here`, breaks: true }];
}

/** The queue at the other end of the way of dead letters. */
export const counterpart = (queue: QueueName): QueueName => (deadLettersOf(queue) ?? sourceOf(queue)) as QueueName;
