/** Changing single configs, of topics and of brokers: IncrementalAlterConfigs (KIP-339). */
import type { Failure, PerItem } from '../../core/outcome.ts';
import type { ConfigChange } from '../../core/ports.ts';
import { done, inTurn, settle } from './answers.ts';
import { batches, weightOfTexts } from './batches.ts';
import type { Cluster } from './cluster.ts';
import { brokerResource, configOperation, incrementalAlterConfigs, topicResource } from './requests.ts';

type Changes = ReadonlyMap<string, readonly ConfigChange[]>;

/** `Topics.alterConfigs`. */
export function alterConfigs(
  cluster: Cluster,
  changes: Changes,
  signal: AbortSignal,
): Promise<PerItem<string, 'done'>> {
  const weigh = ([, list]: [string, readonly ConfigChange[]]) =>
    1 + list.length + weightOfTexts(list.flatMap(({ key, value }) => [key, value ?? '']));
  const nameOf = ([name]: readonly [string, unknown]) => name;
  return inTurn(batches(changes, weigh), nameOf, 'alter', async (batch) => {
    const { answer } = await cluster.write(incrementalAlterConfigs, requestOf(topicResource, batch), signal);
    return settle('alter', answer.throttleMs, answer.resources, byName, done);
  });
}

/** Changes dynamic configs of one broker, which takes them from nobody else. @param address `host:port` of that broker */
export async function alterBroker(
  cluster: Cluster,
  { id, address }: { readonly id: number; readonly address: string },
  changes: readonly ConfigChange[],
  signal: AbortSignal,
): Promise<'done' | Failure> {
  if (changes.length === 0) return 'done';
  const name = String(id);
  const outcomes = await inTurn([[name]], String, 'limit', async () => {
    const request = requestOf(brokerResource, [[name, changes]]);
    const { answer } = await cluster.write(incrementalAlterConfigs, request, signal, address);
    return settle('limit', answer.throttleMs, answer.resources, byName, done);
  });
  return outcomes.get(name) ?? 'done';
}

const byName = ({ name }: { readonly name: string }): string => name;

const requestOf = (type: number, changes: readonly (readonly [string, readonly ConfigChange[]])[]) => ({
  resources: changes.map(([name, list]) => ({ type, name, configs: list.map(toOperation) })),
  validateOnly: false,
});

const toOperation = ({ key, value }: ConfigChange) => ({
  name: key,
  operation: value === null ? configOperation.remove : configOperation.set,
  value,
});
