/** What can happen in a history, and how often: the shape of the random worlds. */
import fc from 'fast-check';
import type { Death } from '../support/mortal.ts';
import { foreignKey } from './judge.ts';

/** The objects of a history. Which topic one names is said when it is created, and then stays. */
export const keys = [
  { namespace: 'a', name: 'one' },
  { namespace: 'a', name: 'two' },
  { namespace: 'b', name: 'three' },
] as const;
export const topicNames = ['red', 'blue'] as const;
export const brokerIds = [1, 2, 3] as const;

export type Spec = {
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  readonly config: Readonly<Record<string, string>>;
  readonly ignoredConfigs?: readonly string[];
  readonly configMode?: string;
  readonly deletionPolicy: string;
  readonly mode: string;
};

/** An edit of one thing; a config value that is `null` goes. */
export type Patch = Partial<Omit<Spec, 'config'>> & { readonly config?: Readonly<Record<string, string | null>> };

/** `stale`: the first look of the pass is answered by a broker that does not know the topics yet. */
export type PassStep = {
  readonly do: 'pass';
  readonly objects: readonly number[];
  readonly death: Death | undefined;
  readonly stale: boolean;
  readonly lastReceive: boolean;
};

export type Step =
  | { readonly do: 'apply'; readonly object: number; readonly topic: number; readonly spec: Spec }
  | { readonly do: 'edit'; readonly object: number; readonly patch: Patch }
  | { readonly do: 'delete' | 'check'; readonly object: number }
  | { readonly do: 'relabel'; readonly object: number; readonly team: string }
  | {
      readonly do: 'approve';
      readonly object: number;
      readonly what: 'shown' | 'older' | 'garbage';
      readonly nth: number;
    }
  | PassStep
  | { readonly do: 'tick' }
  | { readonly do: 'finishMoves' }
  | { readonly do: 'produce' | 'removeTopic' | 'addTopic' | 'growTopic'; readonly topic: number }
  | { readonly do: 'configure'; readonly topic: number; readonly key: string; readonly value: string }
  | {
      readonly do: 'moveByHand';
      readonly topic: number;
      readonly partition: number;
      readonly target: readonly number[] | null;
    }
  | { readonly do: 'broker'; readonly id: number; readonly up: boolean };

/** A history happens in one installation. */
export type Story = { readonly limited: boolean; readonly steps: readonly Step[] };

const object = fc.nat(keys.length - 1);
const topic = fc.nat(topicNames.length - 1);
const numPartitions = fc.integer({ min: 1, max: 4 });
const replicationFactor = fc.integer({ min: 1, max: brokerIds.length });
const mode = fc.constantFrom('Enforce', 'Enforce', 'Enforce', 'Enforce', 'Enforce', 'Plan', 'Observe', 'Paused');
const deletionPolicy = fc.constantFrom('Retain', 'Delete');
const values = {
  'retention.ms': fc.constantFrom('60000', '3600000', '86400000', '-1'),
  'segment.ms': fc.constantFrom('60000', '3600000'),
  'cleanup.policy': fc.constantFrom('delete', 'compact', 'compact,delete'),
};

const specs: fc.Arbitrary<Spec> = fc
  .record(
    {
      numPartitions,
      replicationFactor,
      config: fc.record(values, { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>,
      ignoredConfigs: fc.constantFrom([], [], ['segment.ms']),
      configMode: fc.constantFrom('Merge', 'Merge', 'Merge', 'Exact'),
      deletionPolicy,
      mode,
    },
    { requiredKeys: ['config', 'deletionPolicy', 'mode'] },
  )
  // the API server refuses a key that is listed and ignored
  .map((spec) => ({ ...spec, ignoredConfigs: (spec.ignoredConfigs ?? []).filter((key) => !(key in spec.config)) }));

const patches: fc.Arbitrary<Patch> = fc.oneof(
  fc.record({ numPartitions }),
  fc.record({ replicationFactor }),
  fc.record({ mode }),
  fc.record({ deletionPolicy }),
  fc.record({ config: fc.record({ 'retention.ms': fc.option(values['retention.ms']) }) }),
  fc.record({ config: fc.record({ 'cleanup.policy': fc.option(values['cleanup.policy']) }) }),
);

const calls = fc.oneof(
  fc.nat(14),
  fc.constantFrom('writeStatus', 'setFinalizer', 'create', 'delete', 'move', 'limit', 'unlimit', 'publish', 'records'),
);
const death: fc.Arbitrary<Death | undefined> = fc.option(
  fc.record({ call: calls, at: fc.constantFrom<Death['at']>('before', 'after', 'lost') }),
  { nil: undefined },
);

const target = fc.constantFrom(null, [1], [2], [3], [1, 2], [2, 3], [3, 1], [1, 2, 3]);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('apply' as const), object, topic, spec: specs }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('edit' as const), object, patch: patches }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      objects: fc.array(object, { minLength: 1, maxLength: 3 }),
      death,
      stale: fc.nat(7).map((nth) => nth === 0),
      lastReceive: fc.nat(7).map((nth) => nth === 0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('approve' as const),
      object,
      what: fc.constantFrom('shown' as const, 'shown' as const, 'shown' as const, 'older' as const, 'garbage' as const),
      nth: fc.nat(9),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'check' as const), object }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('relabel' as const), object, team: fc.constantFrom('a', 'b') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('tick' as const, 'finishMoves' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('produce' as const), topic }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('removeTopic' as const, 'addTopic' as const, 'growTopic' as const),
      topic,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      topic,
      key: fc.constantFrom('retention.ms', 'segment.ms', foreignKey),
      value: fc.constantFrom('60000', '7200000'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('moveByHand' as const), topic, partition: fc.nat(1), target }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('broker' as const), id: fc.constantFrom(...brokerIds), up: fc.boolean() }),
  },
);

export const stories = (maxSteps: number): fc.Arbitrary<Story> =>
  fc.record({ limited: fc.boolean(), steps: fc.array(step, { minLength: 3, maxLength: maxSteps, size: 'max' }) });
