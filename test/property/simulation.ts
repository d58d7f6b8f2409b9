/** A history as it happens: people, brokers and passes in memory, and then the rest that has to come. */

import { annotations } from '../../functions/core/api.ts';
import { type Danger, dangers, defaultApprovals, type Installation } from '../../functions/core/installation.ts';
import { Failure } from '../../functions/core/outcome.ts';
import type { Replication, Topics } from '../../functions/core/ports.ts';
import { type Ports, reconcile } from '../../functions/core/reconciler.ts';
import { outOfSync } from '../../functions/core/resync.ts';
import { parseSelector } from '../../functions/core/selector.ts';
import { type Key, keyOf } from '../../functions/core/topic.ts';
import { installation } from '../support/build.ts';
import { noMeter } from '../support/figures.ts';
import { FakeTopics } from '../support/kafka/fake-topics.ts';
import { fakeEvents } from '../support/kube/fake-events.ts';
import { fakeResources } from '../support/kube/fake-resources.ts';
import { Mortal } from '../support/mortal.ts';
import { atRest } from './at-rest.ts';
import { statusOf } from './facts.ts';
import { Judge } from './judge.ts';
import {
  type ByHand,
  brokerIds,
  type Edit,
  keys,
  type PassStep,
  type Patch,
  type Spec,
  type Step,
  type Story,
  topicNames,
} from './steps.ts';

const never = new AbortController().signal;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const noAnswer = () => new Failure('BrokerUnavailable', 'no answer', { retryable: true, unanswered: true });
const receives = 6;
const ticksToRest = 12;

/** Lives a story and lets its world come to rest. @returns what must not have happened; empty when all is well */
export async function live(story: Story): Promise<readonly string[]> {
  const world = new Simulation(story);
  for (const step of story.steps) await world.happen(step);
  return (await world.settle()) ?? (await world.violations());
}

export class Simulation {
  readonly topics = new FakeTopics({ brokers: brokerIds.length });
  readonly resources = fakeResources({ now: () => this.#time() });
  readonly events = fakeEvents();
  readonly judge: Judge;
  readonly #installation: Installation;
  /** what an object that is created anew comes with: the approval that its file got once (K120) */
  readonly #inGit = new Map<string, Readonly<Record<string, string>>>();
  #seconds = 0;
  #messages = 0;
  /** Events told since the last pass began */
  #told = 0;

  constructor({ limited, careful }: Omit<Story, 'steps'>) {
    this.#installation = installation({
      clusterId: this.topics.clusterId,
      approvals: careful ? new Set(Object.keys(dangers) as Danger[]) : defaultApprovals,
      moveBytesPerSecond: limited ? 1000 : undefined,
      selects: parseSelector('team=a'),
    });
    this.judge = new Judge(this.resources.objects, this.topics, { cutsWait: careful });
    this.topics.holdMoves = true;
  }

  async happen(step: Step): Promise<void> {
    if (step.do === 'pass') await this.#passes(step);
    else if (step.do === 'tick') await this.tick();
    else if (step.do === 'finishMoves') this.topics.finishMoves();
    else if (step.do === 'broker') Object.assign(this.topics.cluster.get(step.id) ?? {}, { up: step.up });
    else if ('object' in step) await this.#someoneEdits(step);
    else this.#someoneTouches(step);
    this.judge.watch();
  }

  async #someoneEdits(step: Edit): Promise<void> {
    const key = keys[step.object] as Key;
    this.#edits(key, step);
    if (step.then && this.resources.objects.get(key)) await this.pass([key], step.then);
  }

  #edits(key: Key, step: Edit): void {
    const { objects } = this.resources;
    switch (step.do) {
      case 'apply':
        this.#apply(key, step.spec, topicNames[step.topic] ?? '');
        break;
      case 'edit':
        this.#patch(key, step.patch);
        break;
      case 'delete':
        objects.delete(key);
        break;
      case 'check':
        objects.annotate(key, 'reconcileRequestedAt', String(this.#seconds));
        break;
      case 'relabel':
        objects.change(key, (object) => ({
          ...object,
          metadata: { ...object.metadata, labels: { team: step.team } },
        }));
        break;
      case 'approve': {
        const hash = this.#hashFor(key, step);
        if (hash === undefined) break;
        this.#inGit.set(keyOf(key), { [annotations.approve]: hash });
        objects.annotate(key, 'approve', hash);
      }
    }
  }

  #hashFor(key: Key, { what, nth }: Extract<Edit, { do: 'approve' }>): string | undefined {
    const { hashes } = this.judge.approvals;
    const object = this.resources.objects.get(key);
    if (what === 'garbage') return 'deadbeef';
    if (what === 'older') return hashes[nth % hashes.length];
    return object && statusOf(object).plan?.hash;
  }

  #apply(key: Key, spec: Spec, topicName: string): void {
    const { objects } = this.resources;
    const old = objects.get(key);
    // What is on its way out cannot be applied anew; people see it and wait.
    if (old?.metadata.deletionTimestamp !== undefined) return;
    const more = old === undefined ? { labels: { team: 'a' }, annotations: this.#inGit.get(keyOf(key)) ?? {} } : {};
    objects.apply({ metadata: { ...key, ...more }, spec: { ...spec, topicName: old?.spec.topicName ?? topicName } });
  }

  /** Also of what is on its way out: people switch the policy or the mode to free it. */
  #patch(key: Key, { config = {}, ...patch }: Patch): void {
    this.resources.objects.change(key, (object) => {
      const { ignoredConfigs } = object.spec as unknown as Spec;
      const merged = { ...(object.spec.config as Spec['config']), ...config };
      const kept = Object.entries(merged).filter(([name, value]) => value !== null && !ignoredConfigs?.includes(name));
      return { ...object, spec: { ...object.spec, ...patch, config: Object.fromEntries(kept) } };
    });
  }

  #someoneTouches(step: ByHand): void {
    const name = topicNames[step.topic] ?? '';
    const topic = this.topics.topics.get(name);
    if (topic !== undefined) this.judge.touched.add(topic.id);
    if (step.do === 'replaceTopic' || (step.do === 'addTopic' && topic === undefined))
      this.topics.add(name, { numPartitions: 2, recordCount: step.do === 'addTopic' ? 1 : 0 });
    if (topic === undefined) return;
    if (step.do === 'produce') this.topics.produce(name);
    if (step.do === 'removeTopic') this.topics.topics.delete(name);
    if (step.do === 'growTopic') topic.numPartitions++;
    if (step.do === 'configure') {
      topic.overrides.set(step.key, step.value);
      this.judge.disown(topic.id, step.key);
    }
    if (step.do === 'moveByHand') this.#moveByHand(name, step);
  }

  #moveByHand(name: string, { partition, target }: Extract<ByHand, { do: 'moveByHand' }>): void {
    const placement = this.topics.topics.get(name)?.placements[partition];
    if (placement === undefined) return;
    if (target === null && placement.adding.length + placement.removing.length === 0) return;
    this.topics.moveByHand(name, partition, target);
  }

  async #passes({ objects, ...circumstances }: PassStep): Promise<void> {
    const known = [...new Set(objects)].map((at) => keys[at] as Key).filter((key) => this.resources.objects.get(key));
    if (known.length > 0) await this.pass(known, circumstances);
  }

  /** One pass over some objects. @returns whether all their messages are done */
  async pass(
    over: readonly Key[],
    { death, stale = false, lastReceive = false }: Partial<PassStep> = {},
    id = `m${this.#messages++}`,
  ): Promise<boolean> {
    const mortal = new Mortal(death);
    this.judge.begin(over);
    this.#told = 0;
    const items = over.map((key) => ({ key, groups: undefined, lastReceive, trigger: 'change' as const, id }));
    const settled = await mortal.run(() => reconcile(items, this.#ports(mortal, stale), never));
    return settled !== 'died' && [...settled.values()].every(({ redeliver }) => !redeliver);
  }

  /** A message until it is done, or until it goes to the dead-letter queue. */
  async deliver(key: Key): Promise<void> {
    const id = `m${this.#messages++}`;
    for (let nth = 1; nth <= receives; nth++) if (await this.pass([key], { lastReceive: nth === receives }, id)) return;
  }

  /** A resync. @returns the objects that it found to need a pass */
  async tick(): Promise<readonly string[]> {
    const ports = this.#ports(new Mortal(), false);
    const { items } = await this.resources.page(500, undefined, never);
    const { needed } = await outOfSync(items, ports, `tick-${this.#messages}`, never);
    for (const { key } of needed) await this.deliver(key);
    return needed.map(({ key }) => keyOf(key));
  }

  /**
   * Nobody does anything any more and all brokers are up; moves end, ticks come. All other messages are lost.
   *
   * @returns why it never comes to rest; undefined when it does
   */
  async settle(): Promise<readonly string[] | undefined> {
    for (const broker of this.topics.cluster.values()) broker.up = true;
    let named: readonly string[] = [];
    for (let ticks = 0; ticks < ticksToRest; ticks++) {
      this.topics.finishMoves();
      named = await this.tick();
      if (named.length === 0) return undefined;
    }
    return [...this.judge.violations, `the world does not come to rest: ${named.join(', ')}`];
  }

  /** At rest: what happened that must not, what is not true, and what one more pass over each object would do. */
  async violations(): Promise<readonly string[]> {
    const before = this.#picture();
    const told: string[] = [];
    for (const { metadata } of this.resources.objects.all()) {
      await this.pass([metadata]);
      if (this.#told > 0) told.push(`one more pass over ${keyOf(metadata)} tells an Event`);
    }
    const changed = this.#picture() === before ? [] : ['one more pass changes something'];
    return [...this.judge.violations, ...atRest(this.topics, this.resources.objects, this.judge), ...changed, ...told];
  }

  /** All there is, and how often somebody asked the brokers for a change. */
  #picture(): string {
    const topics = [...this.topics.topics].map(([name, { overrides, ...topic }]) => [name, topic, [...overrides]]);
    const brokers = [...this.topics.cluster.values()].map(({ configs }) => [...configs]);
    const asked = this.topics.calls.filter(({ method }) => !['observe', 'records', 'replicas'].includes(method));
    return JSON.stringify([this.resources.objects.all(), topics, brokers, asked.length]);
  }

  #time(): Date {
    return new Date(Date.UTC(2026, 0, 1) + 1000 * this.#seconds++);
  }

  #ports(mortal: Mortal, stale: boolean): Ports {
    const brokers = this.judge.brokers();
    return {
      topics: mortal.port(stale ? behindAtFirst(brokers, this.topics.clusterId) : brokers, lostTopics),
      resources: mortal.port(this.judge.objects(this.resources), lostResource),
      events: mortal.port(
        {
          publish: async (resource, events, signal) => {
            this.#told += events.length;
            await this.events.publish(resource, events, signal);
          },
        },
        () => undefined,
      ),
      installation: this.#installation,
      now: () => this.#time(),
      pause: async () => {},
      log: silent,
      meter: noMeter,
    };
  }
}

/** The first look is answered by a broker that does not know of any topic yet. */
function behindAtFirst(brokers: Topics & Replication, clusterId: string): Topics & Replication {
  let behind = true;
  return new Proxy(brokers, {
    get: (target, method) => {
      const member = Reflect.get(target, method, target);
      if (method !== 'observe') return member;
      return async (...args: Parameters<Topics['observe']>) => {
        if (!behind) return target.observe(...args);
        behind = false;
        return new Map(args[0].map(({ topicName }) => [topicName, { clusterId, exists: false }]));
      };
    },
  });
}

/** A lost answer of the brokers: every item of the call is a failure, and whether there are records is unknown. */
function lostTopics(method: string, [items]: readonly unknown[]): unknown {
  const names = items instanceof Map ? [...items.keys()] : (items as readonly unknown[]);
  const nameOf = (item: unknown) =>
    typeof item === 'object' && item !== null ? (item as { topicName: string }).topicName : item;
  return new Map(names.map((item) => [nameOf(item), method === 'records' ? 'unknown' : noAnswer()]));
}

function lostResource(method: string, [keysRead]: readonly unknown[]): unknown {
  if (method === 'read') return new Map((keysRead as readonly Key[]).map((key) => [keyOf(key), noAnswer()]));
  throw noAnswer();
}
