import type { DeadMessage } from '../../../functions/core/dead-letter.ts';
import { Failure } from '../../../functions/core/outcome.ts';
import type { DeadLetters, Moved } from '../../../functions/core/ports.ts';
import type { FakeQueue, Received } from './fake-queue.ts';

/** Replace one to make something happen before a call is served, or to have it fail for a message. */
export type Hooks = {
  onReceive(): void;
  onHide(message: DeadMessage, seconds: number): void;
  onSend(message: DeadMessage): void;
  onRemove(message: DeadMessage): void;
  onMoveAll(perSecond: number): Moved;
};

/** The DeadLetters port over queues in memory. Its server moves nothing itself, and says that it is done. */
export function fakeDeadLetters(dead: FakeQueue, source: FakeQueue, hooks: Partial<Hooks> = {}): DeadLetters {
  let sent = 0;
  return {
    depth: async () => dead.depth(),
    async receive(max, hiddenSeconds) {
      hooks.onReceive?.();
      return dead.receive(max, hiddenSeconds * 1_000).map(messageOf);
    },
    hide: async (messages, seconds) =>
      perMessage(messages, 'done', (message) => {
        hooks.onHide?.(message, seconds);
        dead.changeVisibility(message.receiptHandle, seconds);
      }),
    sendBack: async (messages) =>
      perMessage(messages, 'sent', (message) => {
        hooks.onSend?.(message);
        source.send({ body: message.body, group: message.group, deduplicationId: `sent-back-${++sent}` });
      }),
    remove: async (messages) =>
      perMessage(messages, 'done', (message) => {
        hooks.onRemove?.(message);
        dead.delete(message.receiptHandle);
      }),
    moveAll: async (perSecond) => hooks.onMoveAll?.(perSecond) ?? { moved: 0 },
  };
}

const messageOf = ({ sentAt, receiveCount, ...message }: Received): DeadMessage => ({
  ...message,
  since: new Date(sentAt).toISOString(),
  receives: receiveCount,
});

function perMessage<T>(messages: readonly DeadMessage[], outcome: T, work: (message: DeadMessage) => void) {
  const settle = (message: DeadMessage): T | Failure => {
    try {
      work(message);
      return outcome;
    } catch (error) {
      return new Failure('InternalError', `The queue did not take a message: ${(error as Error).message}`, {
        retryable: true,
      });
    }
  };
  return new Map(messages.map((message) => [message.id, settle(message)]));
}
