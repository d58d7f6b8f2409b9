/** The checks of the queues. */
import { type Check, type Finding, notChecked, once } from './check.ts';
import { judgeClock } from './clock.ts';
import type { Inspections } from './list.ts';
import { counterpart, forbidden, judgeQueue, type QueueName, queueNames, unset } from './queues.ts';

const queueTitles: Readonly<Record<QueueName, string>> = {
  RECONCILE_QUEUE_URL: 'reconcile queue',
  RECONCILE_DLQ_URL: 'reconcile dead letters',
  TICK_QUEUE_URL: 'tick queue',
  TICK_DLQ_URL: 'tick dead letters',
};

export function queueChecks({ queues: connect }: Inspections): readonly Check[] {
  const area = 'Queues';
  const mend = 'check the URL of the queue, AWS_REGION and credentials (--region, --profile), SQS_ENDPOINT';
  const queues = once(connect);
  const facts = new Map(
    queueNames.map((queue) => [queue, once(async (signal) => (await queues(signal)).attributes(queue, signal))]),
  );
  const factsOf = async (queue: QueueName, signal: AbortSignal) => facts.get(queue)?.(signal);
  const judge = async (queue: QueueName, signal: AbortSignal): Promise<Finding> => {
    const found = await factsOf(queue, signal);
    if (found === undefined) return unset(queue);
    if (found === 'forbidden') return forbidden();
    // what is wrong with the other one is said there
    const other = await factsOf(counterpart(queue), signal).catch(() => undefined);
    return judgeQueue(queue, found.attributes, typeof other === 'object' ? other.attributes : undefined);
  };
  return [
    ...queueNames.map((queue) => ({
      area,
      name: queueTitles[queue],
      mend,
      run: (signal: AbortSignal) => judge(queue, signal),
    })),
    {
      area,
      name: 'queue clock',
      mend,
      run: async (signal) => {
        const answers = await Promise.all(queueNames.map((queue) => factsOf(queue, signal).catch(() => undefined)));
        const answer = answers.find((found) => typeof found === 'object');
        return answer === undefined
          ? notChecked('needs a queue whose attributes can be read', 'mend the queues first')
          : judgeClock('the queue server', answer.skewMs);
      },
    },
  ];
}
