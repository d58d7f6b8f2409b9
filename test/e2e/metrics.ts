/**
 * What operators see of it all: figures in the runner's log as CloudWatch reads them and on pages as Prometheus does, a line
 * for each change, and lines by which an edit can be followed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { incrementalAlterConfigs } from '../../functions/adapters/kafka/requests.ts';
import { groupOf } from '../../functions/core/request.ts';
import { declared } from '../../infra/generate/metrics.ts';
import { obtain } from '../../infra/local/artifacts.ts';
import { ask, prometheusTools } from '../../infra/local/prometheus.ts';
import { refusingStatus } from '../support/e2e/admission.ts';
import { annotate, approve, held, recordsIn } from '../support/e2e/approval.ts';
import { answering, meanwhile } from '../support/e2e/faults.ts';
import { conditionOf } from '../support/e2e/kubectl.ts';
import type { World } from '../support/e2e/world.ts';
import { figuresIn, metricLines, sums } from '../support/figures.ts';
import { eventually } from '../support/kafka/eventually.ts';

const hour = 3600000;
const day = 86400000;
const one = { numPartitions: 1 };

/** What the functions have logged while something happened, to its very end. */
async function logged({ queues, log }: World, during: () => Promise<unknown>): Promise<string> {
  await queues.drained();
  const before = log('runner').length;
  await during();
  await queues.drained();
  return log('runner').slice(before);
}

const message = (namespace: string, name: string, trigger: string): string =>
  JSON.stringify({ v: 1, namespace, name, trigger, id: `by-hand-${name}` });

type LogLine = Readonly<Record<string, unknown>>;

const linesIn = (text: string): readonly LogLine[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

/** The lines of one event about an object. */
const linesAbout = (text: string, event: string, object: string): readonly LogLine[] =>
  linesIn(text).filter((line) => line.event === event && line.object === object);

/** The page of figures at that address. */
async function pageAt(url: string | undefined): Promise<string> {
  const answer = await fetch(`${url}/metrics`);
  assert.equal(answer.status, 200);
  return answer.text();
}

/** The value of a series, 0 where there is none. @param series with its labels, as on the page */
const valueIn = (page: string, series: string): number =>
  Number(
    page
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length) ?? 0,
  );

export function metrics(world: World): void {
  const { a, b, admin, broker, kafka, queues, runner } = world;
  const during = (what: () => Promise<unknown>) => logged(world, what);

  test('K159: counts by trigger and outcome are what happened, and each object has a time in the queue and one in its pass', async () => {
    await broker.create('k159-there', 2);
    const text = await during(async () => {
      for (const name of ['k159-one', 'k159-two', 'k159-three']) {
        await a.apply(name, one);
        await a.ready(name);
      }
      await a.apply('k159-paused', { ...one, mode: 'Paused' });
      await a.says('k159-paused', 'Paused');
      await a.apply('k159-there', { numPartitions: 2, mode: 'Observe' });
      await a.says('k159-there', 'Observed');
      await a.apply('k159-there', { numPartitions: 3, mode: 'Observe' });
      await a.says('k159-there', 'DriftDetected');
      await b.apply('k159-rival', { topicName: 'k159-one', ...one });
      await b.says('k159-rival', 'ResourceConflict');
      await queues.drained();
      await queues.request(message(a.namespace, 'k159-one', 'manual'), groupOf('k159-one'));
      await queues.request(message(a.namespace, 'k159-one', 'replay'), groupOf('another-topic'));
      await queues.request(message(a.namespace, 'k159-nobody', 'replay'));
      await queues.drained();
      await broker.setConfig('k159-two', { 'segment.ms': '60000' });
      await a.apply('k159-two', { ...one, config: { 'segment.ms': hour } });
      await a.ready('k159-two');
      await broker.setConfig('k159-two', { 'segment.ms': '60000' });
      await queues.tick();
    });
    assert.deepEqual(sums(text, 'Passes'), {
      'Trigger=change Outcome=Synced': 4,
      'Trigger=change Outcome=Paused': 1,
      'Trigger=change Outcome=Observed': 1,
      'Trigger=change Outcome=Drift': 1,
      'Trigger=change Outcome=Stopped': 1,
      'Trigger=manual Outcome=Synced': 1,
      'Trigger=replay Outcome=Gone': 1,
      'Trigger=replay Outcome=Elsewhere': 1,
      'Trigger=drift Outcome=Synced': 1,
    });
    const figures = figuresIn(text);
    assert.equal(figures.get('TimeInQueue Function=reconcile')?.length, 12);
    assert.equal(figures.get('TimeInPass Outcome=Synced')?.length, 6);
    for (const name of ['TimeInQueue Function=reconcile', 'TimeInPass Outcome=Synced'])
      assert.ok(
        figures.get(name)?.every((ms) => ms >= 0 && ms < 60_000),
        name,
      );
    assert.deepEqual(sums(text, 'Messages')['Function=reconcile Fate=Done'], 12);
    assert.equal(sums(text, 'Changes')['Action=CreateTopic'], 3);
  });

  test('K159: the time that a message waits is time in the queue, and none in the pass', async () => {
    await queues.drained();
    await runner.stop();
    const { metadata } = await a.apply('k159-waits', one);
    while (Date.now() < Date.parse(metadata.creationTimestamp) + 3_000) await setImmediate();
    const before = world.log('runner').length;
    await runner.start();
    await a.ready('k159-waits');
    await queues.drained();
    const figures = figuresIn(world.log('runner').slice(before));
    assert.ok((figures.get('TimeInQueue Function=reconcile')?.[0] ?? 0) > 1_500);
    assert.ok((figures.get('OldestMessage Function=reconcile')?.[0] ?? 0) > 1_500, 'K163');
    assert.ok((figures.get('TimeInPass Outcome=Synced')?.[0] ?? 1_500) < 1_500);
  });

  test('K161: each applied change is one line that says what it was before, and nothing applied is no line', async () => {
    const object = `${a.namespace}/k161`;
    const creation = await during(async () => {
      await a.apply('k161', { ...one, config: { 'segment.ms': hour } });
      await a.ready('k161');
    });
    const [created, ...more] = linesAbout(creation, 'applied', object);
    assert.deepEqual(
      [created?.field, created?.before, created?.after, more.length],
      ['topic', 'none', await broker.id('k161'), 0],
    );
    const edit = await during(async () => {
      await a.apply('k161', { numPartitions: 3, config: { 'segment.ms': day } });
      await a.ready('k161');
    });
    const lines = linesAbout(edit, 'applied', object);
    assert.deepEqual(
      lines.map(({ trigger, field, before, after, outcome }) => ({ trigger, field, before, after, outcome })),
      [
        { trigger: 'change', field: 'config.segment.ms', before: String(hour), after: String(day), outcome: 'Synced' },
        { trigger: 'change', field: 'numPartitions', before: '1', after: '3', outcome: 'Synced' },
      ],
    );
    for (const { messageId, message, tookMs } of lines) {
      assert.match(String(messageId), /^[0-9a-f-]{36}$/);
      assert.ok(String(message).length > 0);
      assert.ok(Number(tookMs) >= 0 && Number(tookMs) < 60_000);
    }
    const nothing = await during(async () => {
      await queues.tick();
      await queues.request(message(a.namespace, 'k161', 'manual'), groupOf('k161'));
      await queues.drained();
      await broker.setConfig('k161', { 'segment.ms': String(day) });
      await queues.tick();
    });
    assert.deepEqual(linesAbout(nothing, 'applied', object), []);
    assert.equal(linesAbout(nothing, 'outcome', object).length, 1);
  });

  test('K162: 150 objects have the series of one, and no series names an object or a topic', async () => {
    const make = (names: readonly string[]) =>
      during(async () => {
        await Promise.all(names.map((name) => a.apply(name, one)));
        for (const name of names) await a.ready(name);
        await queues.tick();
      });
    const few = await make(['k162-one']);
    const many = await make(Array.from({ length: 150 }, (_, index) => `k162-${index}`));
    assert.equal(sums(many, 'Passes')['Trigger=change Outcome=Synced'], 150);
    assert.deepEqual([...figuresIn(many).keys()].toSorted(), [...figuresIn(few).keys()].toSorted());
    assert.doesNotMatch(JSON.stringify(metricLines(many)), /k162|of-tenant/);
  });

  test('K163: drift that a tick finds is counted', async () => {
    await a.apply('k163-drift', { ...one, config: { 'segment.ms': hour } });
    await a.ready('k163-drift');
    await queues.tick();
    const before = await during(() => queues.tick());
    await broker.setConfig('k163-drift', { 'segment.ms': '60000' });
    const after = await during(() => queues.tick());
    const found = (text: string) => sums(text, 'DriftFound')[''] ?? Number.NaN;
    assert.equal(found(after) - found(before), 1);
  });

  test('K163: a plan that is held counts once, and its object as one that waits until it is approved', async () => {
    const { withRecords } = recordsIn(world);
    await withRecords('k163-held', { ...one, config: { 'retention.ms': day } });
    const waiting = async () =>
      sums(await during(() => queues.tick()), 'Objects')['Ready=False Reason=ApprovalRequired'] ?? 0;
    const before = await waiting();
    const text = await during(async () => {
      await a.apply('k163-held', { ...one, config: { 'retention.ms': hour } });
      await held(a, 'k163-held');
      await annotate(a, 'k163-held', '0123456789abcdef');
      await a.holds('k163-held', (object) => /does not match/.test(conditionOf(object, 'Ready')?.message ?? ''));
    });
    assert.equal(sums(text, 'PlansHeld')[''], 1);
    assert.equal(await waiting(), before + 1);
    await approve(a, 'k163-held');
    await a.ready('k163-held');
    assert.equal(await waiting(), before);
  });

  test("K163: Kafka's error codes are counted by name", async () => {
    await a.apply('k163-code', one);
    await a.ready('k163-code');
    const refusing = answering(incrementalAlterConfigs, 'k163-code', (answer) => ({
      ...answer,
      resources: answer.resources.map((resource) => ({ ...resource, code: 44, message: 'no' })),
    }));
    const text = await during(() =>
      meanwhile(kafka, refusing, async () => {
        await a.apply('k163-code', { ...one, config: { 'segment.ms': hour } });
        await a.says('k163-code', 'PolicyViolation');
      }),
    );
    assert.deepEqual(sums(text, 'KafkaErrors'), { 'Code=POLICY_VIOLATION': 1 });
    assert.deepEqual(sums(text, 'Problems'), { 'Reason=PolicyViolation': 1 });
    await queues.tick();
    await a.ready('k163-code');
  });

  test('K163: a dead letter is counted when its last try fails', async () => {
    const text = await during(async () => {
      await queues.request('nobody can read this');
      await queues.deadLetters(1);
    });
    assert.equal(sums(text, 'Messages')['Function=reconcile Fate=DeadLettered'], 1);
  });

  test('K163: a status that could not be written is no success', async () => {
    await a.apply('k163-status', one);
    await a.ready('k163-status');
    const text = await during(async () => {
      await refusingStatus(admin, 422, 'k163-status', async () => {
        const before = world.log('runner').length;
        await a.apply('k163-status', { numPartitions: 2 });
        await eventually(async () =>
          assert.ok((sums(world.log('runner').slice(before), 'StatusWrites')['Result=NotWritten'] ?? 0) > 0),
        );
      });
      await a.ready('k163-status');
    });
    const tries = sums(text, 'StatusWrites')['Result=NotWritten'];
    assert.deepEqual(sums(text, 'Passes'), {
      'Trigger=change Outcome=StatusNotWritten': tries,
      'Trigger=change Outcome=Synced': 1,
    });
  });

  test('K163: the age of the watch grows while nothing is heard, and an event ends it', async () => {
    const age = async (): Promise<number> => {
      return valueIn(await pageAt(world.system.exports.FORWARDER_URL), 'topicsmith_forwarder_watch_age_seconds');
    };
    await eventually(async () => assert.ok((await age()) > 2));
    await a.apply('k163-heard', one);
    await a.ready('k163-heard');
    assert.ok((await age()) < 2);
  });

  test('K159, K160: the page of the runner has the sums of what the functions have written, and the last reading', async () => {
    const page = () => pageAt(world.system.exports.RUNNER_URL);
    await queues.drained();
    const before = await page();
    const text = await during(async () => {
      await a.apply('k159-page', one);
      await a.ready('k159-page');
      await a.apply('k159-page', { numPartitions: 2 });
      await a.ready('k159-page');
      await queues.tick();
    });
    const after = await page();
    const series = (name: string, labels: string) =>
      `${name}{${labels.replaceAll(/(\w+)=(\S+)/g, (_, label: string, value) => `${label.toLowerCase()}="${value}"`).replaceAll(' ', ',')}}`;
    for (const [name, figure] of [
      ['topicsmith_passes_total', 'Passes'],
      ['topicsmith_messages_total', 'Messages'],
      ['topicsmith_changes_total', 'Changes'],
    ] as const)
      for (const [labels, sum] of Object.entries(sums(text, figure))) {
        const of = series(name, labels);
        assert.equal(valueIn(after, of) - valueIn(before, of), sum, of);
      }
    const passes = (text: string) => valueIn(text, 'topicsmith_time_in_pass_seconds_count{outcome="Synced"}');
    assert.equal(passes(after) - passes(before), figuresIn(text).get('TimeInPass Outcome=Synced')?.length);
    const read = after.split('\n').filter((line) => line.startsWith('topicsmith_objects{'));
    assert.deepEqual(
      read.toSorted(),
      Object.entries(sums(text, 'Objects'))
        .map(([labels, count]) => `${series('topicsmith_objects', labels)} ${count}`)
        .toSorted(),
    );
  });

  test('K163: the pages have exactly the declared metrics, as Prometheus itself reads them', async () => {
    const tools = await obtain(prometheusTools, (line) => process.stderr.write(`${line}\n`));
    const { FORWARDER_URL, RUNNER_URL } = world.system.exports;
    const pages = [await pageAt(RUNNER_URL), await pageAt(FORWARDER_URL)];
    const types = pages.join('').matchAll(/^# TYPE (\S+) (\S+)$/gm);
    assert.deepEqual(
      [...types].map(([, name, type]) => `${name} ${type}`).toSorted(),
      declared()
        .map(({ name, type }) => `${name} ${type}`)
        .toSorted(),
    );
    const labels = new Map(declared().map(({ name, labels }) => [name, labels.toSorted()]));
    for (const page of pages) {
      assert.equal(ask(tools, 'promtool', ['check', 'metrics'], page).problem, undefined);
      const { out } = ask(tools, 'promread', ['page'], page);
      const families = Object.entries(JSON.parse(out) as Record<string, { labels: readonly string[] }>);
      assert.ok(families.length > 5);
      for (const [name, family] of families) assert.deepEqual(family.labels, labels.get(name), name);
    }
    assert.doesNotMatch(pages.join(''), /k1\d\d|of-tenant/);
  });

  test('an edit is followed from the object to its status by ids alone', async () => {
    await a.apply('followed', one);
    await a.ready('followed');
    await queues.drained();
    const { metadata } = await a.apply('followed', { numPartitions: 2 });
    const ready = await a.ready('followed');
    await queues.drained();
    const { uid, resourceVersion, generation } = metadata;
    const only = (lines: readonly LogLine[]): LogLine => {
      assert.equal(lines.length, 1, JSON.stringify(lines));
      return lines[0] as LogLine;
    };
    const [forwarder, runner] = [linesIn(world.log('forwarder')), linesIn(world.log('runner'))];
    const sent = only(
      forwarder.filter(({ event, message }) => event === 'sent' && message === `${uid}-${resourceVersion}`),
    );
    assert.equal(sent.generation, generation);
    const pass = runner.filter(({ messageId }) => messageId === sent.messageId);
    const applied = only(pass.filter(({ event }) => event === 'applied'));
    assert.deepEqual([applied.field, applied.before, applied.after], ['numPartitions', '1', '2']);
    const outcome = only(pass.filter(({ event }) => event === 'outcome'));
    assert.deepEqual(
      [outcome.generation, outcome.plan, outcome.outcome, outcome.status],
      [generation, ['AddPartitions'], 'Synced', 'written'],
    );
    const invocation = only(
      runner.filter(({ event, requestId }) => event === 'invocation' && requestId === outcome.requestId),
    );
    assert.deepEqual([invocation.function, invocation.outcome], ['reconcile', 'succeeded']);
    assert.equal(ready.status?.observedGeneration, outcome.generation);
  });
}

type Labelled = { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } };

/** For an installation that is for the objects with certain labels. @param isSelected whether labels are among them */
export function gauges(
  world: World,
  selected: Readonly<Record<string, string>>,
  isSelected: (labels: Readonly<Record<string, string>>) => boolean,
): void {
  const { a, b, broker, queues } = world;

  /** The selected objects by what they say, as anybody can read it. */
  async function states(): Promise<Readonly<Record<string, number>>> {
    const objects = [...(await a.list()), ...(await b.list())];
    const ours = objects.filter((object) => isSelected((object as Labelled).metadata.labels ?? {}));
    const said = ours.map((object) => conditionOf(object, 'Ready') ?? { status: 'Unknown', reason: 'Pending' });
    const groups = Map.groupBy(said, ({ status, reason }) => `Ready=${status} Reason=${reason}`);
    return Object.fromEntries([...groups].map(([state, list]) => [state, list.length]));
  }

  test('K160: a tick says how many selected objects are in each state, and counts no others', async () => {
    await broker.createOn('k160-held', [1]);
    await a.apply('k160', one, {}, selected);
    await a.apply('k160-paused', { ...one, mode: 'Paused' }, {}, selected);
    await a.apply('k160-held', { numPartitions: 3 }, {}, selected);
    await Promise.all([a.ready('k160'), a.says('k160-paused', 'Paused'), a.says('k160-held', 'ApprovalRequired')]);
    await b.apply('k160-rival', { topicName: 'k160', ...one }, {}, selected);
    await b.says('k160-rival', 'ResourceConflict');
    await a.apply('k160-other', one);
    await a.apply('k160-other-paused', { ...one, mode: 'Paused' });
    // what other tests have left behind may still be moving
    const gauge = await eventually(async () => {
      const text = await logged(world, () => queues.tick());
      assert.deepEqual(sums(text, 'Objects'), await states());
      return sums(text, 'Objects');
    }, 30_000);
    for (const state of ['True Reason=Synced', 'Unknown Reason=Paused', 'False Reason=ApprovalRequired'])
      assert.ok((gauge[`Ready=${state}`] ?? 0) > 0, state);
    assert.ok((gauge['Ready=False Reason=ResourceConflict'] ?? 0) > 0);
    assert.equal(gauge['Ready=Unknown Reason=Pending'], undefined);
  });
}
