/** Plans that wait, as users see and approve them. */
import assert from 'node:assert/strict';
import { conditionOf, type KafkaTopic, type Kubectl, type Plan } from './kubectl.ts';
import type { World } from './world.ts';

/** What carries the hash that is approved. */
export const annotation = 'cache.example.com/approve';

/** One line for each held action. */
export const linesOf = ({ actions }: Plan): readonly string[] =>
  actions.map(({ type, field, from, to }) =>
    [type, field, from, to].filter((part) => part !== undefined && part !== '').join(' '),
  );

export const messageOf = (object: KafkaTopic | undefined): string => conditionOf(object, 'Ready')?.message ?? '';

/** Waits until something of the present generation is held. */
export async function held(user: Kubectl, name: string, reason = 'ApprovalRequired'): Promise<Plan> {
  const object = await user.says(name, reason);
  assert.equal(conditionOf(object, 'Ready')?.status, 'False');
  assert.equal(conditionOf(object, 'Stalled')?.reason, reason);
  assert.ok(object.status?.plan !== undefined, `${name} shows no plan`);
  return object.status.plan;
}

/** `kubectl annotate --overwrite` */
export const annotate = (user: Kubectl, name: string, hash: string) =>
  user.patch(name, { metadata: { annotations: { [annotation]: hash } } });

/** Approves what the object shows. */
export async function approve(user: Kubectl, name: string): Promise<void> {
  const { plan } = (await user.get(name))?.status ?? {};
  await annotate(user, name, plan?.hash ?? '');
}

/** Topics of the first tenant that hold records, and what the product asks Kafka to change of them. */
export function recordsIn({ a, broker, queues, kafkaWrites }: World) {
  return {
    withRecords: async (name: string, spec: object): Promise<void> => {
      await a.apply(name, spec);
      await a.ready(name);
      await broker.produce(name, 3);
    },
    /** How many changes are asked for until nobody has anything left to do. */
    writesDuring: async (topic: string, during: () => Promise<unknown>): Promise<number> => {
      await queues.drained();
      const before = kafkaWrites([topic], []);
      await during();
      await queues.drained();
      return kafkaWrites([topic], []) - before;
    },
    overridesOf: async (name: string) => (await broker.shape(name)).overrides,
  };
}
