import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Failure } from '../../functions/core/outcome.ts';
import { temporaryFolder } from '../support/folder.ts';
import { golden } from '../support/golden.ts';
import { commandWorld } from './world.ts';

const folder = temporaryFolder('dlq');

const request = (name: string, namespace = 'shop') =>
  JSON.stringify({ v: 1, namespace, name, trigger: 'change', id: 'm' });
const away = () => new Failure('BrokerUnavailable', 'no broker answers', { retryable: true });
const minute = 60_000;

/** A fleet in which `orders` gave up; `put` makes dead letters, one a minute. */
async function made(settings: Parameters<typeof commandWorld>[0] = {}) {
  const world = commandWorld(settings);
  const { apply, pass, topics, dead, source, wait } = world;
  apply('orders', { numPartitions: 1 }, { team: 'a' });
  apply('clicks', { numPartitions: 1 }, { team: 'b' });
  await pass(['clicks']);
  topics.fault = () => ({ at: 'before', error: away() });
  await pass(['orders'], true);
  let puts = 0;
  const put = (body: string, group = `group ${++puts}`, queue = dead.reconcile) => {
    queue.send({ body, group, deduplicationId: `put ${++puts}` });
    wait(minute);
  };
  const bodies = (queue: typeof dead.reconcile) => {
    const all = queue.receive(10_000);
    for (const { receiptHandle } of all) queue.changeVisibility(receiptHandle, 0);
    return all.map(({ body }) => body);
  };
  return { ...world, put, left: () => bodies(dead.reconcile), back: () => bodies(source.reconcile) };
}

/** One of each kind. */
async function mixed(settings: Parameters<typeof commandWorld>[0] = {}) {
  const world = await made(settings);
  for (const name of ['orders', 'clicks', 'lost']) world.put(request(name));
  world.put('not \u001b[31m JSON\u202e \u0085\n');
  world.put(request('orders', 'office'));
  return world;
}

describe('topicsmith dlq list', () => {
  test('K157: each with the reason of its object, oldest first; afterwards all are there as before', async () => {
    const { run, left, dead } = await mixed();
    const before = left();
    const { code, out, err } = await run('dlq', 'list');
    assert.deepEqual([code, err], [0, '']);
    golden('dlq.list.txt', out);
    assert.deepEqual(dead.reconcile.depth(), { waiting: 5, inFlight: 0 });
    assert.deepEqual(left(), before);
  });

  test('wide has ids, JSON has all, names are those of objects', async () => {
    const { run } = await mixed();
    golden('dlq.list.wide.txt', (await run('dlq', 'list', '-n', 'shop', '-o', 'wide')).out);
    golden('dlq.list.json', (await run('dlq', 'list', '-o', 'json')).out);
    assert.equal(
      (await run('dlq', 'list', '-n', 'shop', '-o', 'name')).out,
      ['orders', 'clicks', 'lost'].map((name) => `kafkatopic.cache.example.com/${name}\n`).join(''),
    );
  });

  for (const [filter, names] of [
    [['orders'], ['shop/orders']],
    [
      ['office/orders', 'kafkatopic.cache.example.com/clicks', '-n', 'shop'],
      ['shop/clicks', 'office/orders'],
    ],
    [['orders', '-n', 'office'], ['office/orders']],
    [['-l', 'team=a'], ['shop/orders']],
    [['--reason', 'BrokerUnavailable'], ['shop/orders']],
    [['--reason', 'DeadLettered'], ['shop/orders']],
    [
      ['--reason', 'Gone'],
      ['shop/lost', 'office/orders'],
    ],
    [['--reason', 'Gone', '-n', 'shop'], ['shop/lost']],
    [['--reason', 'Malformed'], ['-']],
    [
      ['--older-than', '3m'],
      ['shop/orders', 'shop/clicks', 'shop/lost'],
    ],
    [
      ['--newer-than', '2m'],
      ['-', 'office/orders'],
    ],
    [['--newer-than', '2m', '--older-than', '90s'], ['-']],
    [
      ['--id', 'message-1', 'message-4'],
      ['shop/orders', '-'],
    ],
  ] as const)
    test(`${filter.join(' ')} chooses ${names.join(' and ')}`, async () => {
      const { run } = await mixed();
      const { deadLetters } = JSON.parse((await run('dlq', 'list', '-o', 'json', ...filter)).out);
      const found = deadLetters.map(({ namespace, name }: { namespace?: string; name?: string }) =>
        name === undefined ? '-' : `${namespace}/${name}`,
      );
      assert.deepEqual(found, names);
    });

  test('of a message group the first ten can be seen, and it says how many are behind', async () => {
    const { run, put } = await made();
    for (let count = 0; count < 14; count++) put(request('orders'), 'one');
    put(request('clicks'));
    const { out } = await run('dlq', 'list');
    assert.match(out, /\n11 dead letters of 2 objects; about 4 more lie behind these in their groups, /);
  });

  test('no more are looked at than asked for, and it says how many there are', async () => {
    const { run, put, dead } = await made();
    for (let group = 0; group < 90; group++) put(request('clicks'));
    assert.match((await run('dlq', 'list', '--limit', '30')).out, /\n30 dead letters .* about 60 more lie .* --limit/);
    assert.deepEqual(dead.reconcile.depth(), { waiting: 90, inFlight: 0 });
  });

  test('however many are to go, they do not count as looked at', async () => {
    const { run, put, left, back } = await made();
    for (let group = 0; group < 90; group++) put(request('clicks'));
    await run('dlq', 'replay', 'clicks', '--limit', '10', '--yes');
    assert.deepEqual([left().length, back().length], [0, 90]);
  });

  test('without the API server they are listed all the same, unless the choice depends on objects', async () => {
    const { run, resources } = await mixed();
    resources.fault = () => {
      throw away();
    };
    const { code, out } = await run('dlq', 'list');
    assert.equal(code, 0);
    assert.match(out, /shop\/orders +change +Unread +5m +no broker answers/);
    assert.equal((await run('dlq', 'list', '-l', 'team=a')).code, 1);
  });

  for (const count of [1, 60])
    test(`of a namespace that is not watched nothing is said to be gone, with ${count} of them`, async () => {
      const { run, put, left } = await made({ watched: ['shop'] });
      for (let name = 0; name < count; name++) put(request(`orders-${name}`, 'office'));
      put(request('lost'));
      const { deadLetters } = JSON.parse((await run('dlq', 'list', '-o', 'json')).out);
      const reasons = deadLetters.map(({ reason }: { reason: string }) => reason);
      assert.deepEqual(reasons, [...Array(count).fill('Unread'), 'Gone']);
      assert.match(
        (await run('dlq', 'list')).out,
        /Unread .* nobody looked for the object: WATCH_NAMESPACES leaves out/,
      );
      assert.equal((await run('dlq', 'drop', '--reason', 'Gone', '--save', join(folder, `${count}`), '--yes')).code, 0);
      assert.equal(left().length, count);
    });

  test('objects of namespaces that were not asked for are not read', async () => {
    const { run, resources } = await mixed();
    resources.fault = ({ key }) => {
      if (key?.namespace === 'office') throw away();
    };
    const { code, out } = await run('dlq', 'list', '-n', 'shop', '--reason', 'Gone');
    assert.equal(code, 0);
    assert.match(out, /^lost +change +Gone/m);
  });

  test('while a long look lasts, what was seen stays hidden, and is seen once', async () => {
    const { run, put, letters, dead, wait } = await made();
    for (let group = 0; group < 90; group++) put(request('clicks'));
    let received = 0;
    letters.onReceive = () => {
      wait(3_000);
      assert.equal(dead.reconcile.depth().waiting, Math.max(0, 90 - received));
      received += 10;
    };
    const { out } = await run('dlq', 'list');
    assert.match(out, /\n90 dead letters of 1 object\.\n$/);
    assert.deepEqual(dead.reconcile.depth(), { waiting: 90, inFlight: 0 });
  });

  test('messages that could not be kept hidden are a problem that says what to do, exit 1', async () => {
    const { run, put, letters, dead, wait } = await made();
    for (let group = 0; group < 90; group++) put(request('clicks'));
    letters.onReceive = () => wait(6_000);
    letters.onHide = ({ id }, seconds) => {
      if (id === 'message-3' && seconds > 0) throw new Error('too busy');
    };
    const { code, out, err } = await run('dlq', 'list', '--limit', '80');
    assert.deepEqual([code, out], [1, '']);
    assert.match(
      err,
      /^topicsmith: messages did not stay hidden \(.*too busy\): try again, with a --limit of less than 80$/m,
    );
    assert.deepEqual(dead.reconcile.depth(), { waiting: 90, inFlight: 0 });
  });

  test('messages that are received a second time are no end of the queue: what was done is told, exit 1', async () => {
    const { run, put, letters, dead, wait } = await made();
    for (const body of ['not JSON', ...Array(20).fill(request('clicks'))]) put(body);
    let calls = 0;
    letters.onReceive = () => {
      if (++calls === 2) wait(31_000);
    };
    const { code, out } = await run('dlq', 'replay', '--all', '--yes');
    assert.equal(code, 1);
    assert.match(
      out,
      /^Replay: 9 sent back, left: .*\nIt ended early: messages did not stay hidden \(they were received a/,
    );
    assert.equal(dead.reconcile.depth().waiting, 12);
  });

  test('a queue that fails while they are looked at is one line, exit 1, and all are given back', async () => {
    const { run, letters, dead } = await mixed();
    let calls = 0;
    letters.onReceive = () => {
      if (++calls === 5) throw new Failure('InternalError', 'The queue does not answer', { retryable: true });
    };
    const { code, err } = await run('dlq', 'list');
    assert.deepEqual([code, err], [1, 'topicsmith: The queue does not answer\n']);
    assert.deepEqual(dead.reconcile.depth(), { waiting: 5, inFlight: 0 });
  });

  test('interrupted, all are given back', async () => {
    const { run, letters, dead, interrupt } = await mixed();
    letters.onReceive = () => interrupt.abort();
    assert.deepEqual(await run('dlq', 'list'), { code: 1, out: '', err: 'topicsmith: interrupted\n' });
    assert.deepEqual(dead.reconcile.depth(), { waiting: 5, inFlight: 0 });
  });

  test('those of ticks', async () => {
    const { run, put, dead } = await made();
    put('{"v":1,"tick":"t"}', 't', dead.ticks);
    assert.match((await run('dlq', 'list', '--queue', 'ticks')).out, /^- +- +Tick +60s +part of a periodic look/m);
  });
});

describe('topicsmith dlq show', () => {
  test('K152: bodies are shown so that they cannot move the cursor', async () => {
    const { run, dead } = await mixed();
    const { code, out } = await run('dlq', 'show', '--all');
    assert.equal(code, 0);
    golden('dlq.show.txt', out);
    for (const format of ['table', 'json', 'yaml'])
      assert.doesNotMatch((await run('dlq', 'show', '--all', '-o', format)).out, /[^\P{Cc}\n]/u);
    assert.deepEqual(dead.reconcile.depth(), { waiting: 5, inFlight: 0 });
  });

  test('JSON has the body as it is, a table what a screen can hold', async () => {
    const { run, put } = await made();
    const body = '🦊'.repeat(40_000);
    put(body);
    assert.equal(JSON.parse((await run('dlq', 'show', '--all', '-o', 'json')).out).deadLetters[0].body, body);
    const { out } = await run('dlq', 'show', '--all');
    assert.ok(out.length < 5_000 && out.includes('… (160000 bytes; -o json shows all)'));
  });

  test('none that fits is exit 1', async () => {
    const { run } = await mixed();
    assert.deepEqual(await run('dlq', 'show', 'nobody'), { code: 1, out: '0 dead letters.\n', err: '' });
  });
});

describe('topicsmith dlq replay', () => {
  test('K157: shows what was chosen, asks, and sends exactly that back', async () => {
    const { run, left, back, asked } = await mixed({ answer: 'y' });
    const { code, out, err } = await run('dlq', 'replay', 'orders');
    assert.equal(code, 0);
    golden('dlq.replay.txt', `${err}${asked.join('')}\n${out}`);
    assert.deepEqual(back(), [request('orders')]);
    assert.equal(left().length, 4);
  });

  test('K157: more of one group than a look shows, in their order; what nobody can read is left', async () => {
    const { run, put, left, back } = await mixed();
    const many = Array.from({ length: 35 }, (_, index) => request(`many-${index}`));
    for (const body of many) put(body, 'one');
    const { code, out } = await run('dlq', 'replay', '--all', '--yes', '-o', 'json');
    assert.equal(code, 0);
    const nothing = { notChosen: 0, arrivedSince: 0, failed: 0, others: 0 };
    assert.deepEqual(JSON.parse(out), { verb: 'replay', done: 39, removed: 39, left: { malformed: 1, ...nothing } });
    assert.deepEqual([left().length, back().length], [1, 39]);
    assert.deepEqual(
      back().filter((body) => body.includes('many')),
      many,
    );
  });

  test('behind a message that stays, no more of its group is reached than stands beside it in one look', async () => {
    const { run, put, left, back } = await made();
    put('not JSON', 'one');
    for (let count = 0; count < 30; count++) put(request(`many-${count}`), 'one');
    const behind = await run('dlq', 'replay', '--all', '--yes');
    assert.match(
      behind.out,
      /^Replay: 9 sent back, left: 1 nobody can read .*, about 21 not reached \(behind those in their/,
    );
    assert.deepEqual([left().length, back().length], [22, 9]);
    await run('dlq', 'drop', '--reason', 'Malformed', '--save', join(folder, 'in-front.jsonl'), '--yes');
    assert.equal((await run('dlq', 'replay', '--all', '--yes')).out, 'Replay: 21 sent back, none left.\n');
  });

  test('what nobody can read goes back when it is asked for', async () => {
    const { run, left, back } = await mixed();
    assert.equal((await run('dlq', 'replay', '--reason', 'Malformed', '--yes')).code, 0);
    assert.deepEqual([left().length, back()], [4, ['not \u001b[31m JSON\u202e \u0085\n']]);
  });

  test('where everything is to go back, the server moves it; what it does not move goes by hand', async () => {
    const { run, letters, back } = await mixed();
    const asked: number[] = [];
    letters.onMoveAll = (perSecond) => {
      asked.push(perSecond);
      return { moved: 7 };
    };
    const { out } = await run('dlq', 'replay', '--all', '--malformed', '--rate', '200', '--yes');
    assert.deepEqual([asked, out, back().length], [[200], 'Replay: 12 sent back, none left.\n', 5]);
  });

  test('a server that will not move them says why, and they go by hand', async () => {
    const { run, letters, back } = await mixed();
    letters.onMoveAll = () => {
      throw new Failure('InternalError', 'The queue refused the request: AccessDenied', { retryable: true });
    };
    const { code, err } = await run('dlq', 'replay', '--all', '--malformed', '--yes');
    assert.deepEqual([code, back().length], [0, 5]);
    assert.match(err, /SQS does not move them itself \(The queue refused the request: AccessDenied\)/);
  });

  test('what the server has moved is told also if the queue does not answer afterwards, exit 1', async () => {
    const { run, letters } = await mixed();
    letters.onMoveAll = () => ({ moved: 7 });
    letters.onDepth = () => {
      throw new Failure('InternalError', 'The queue does not answer', { retryable: true });
    };
    const { code, out } = await run('dlq', 'replay', '--all', '--malformed', '--yes');
    assert.equal(code, 1);
    assert.match(
      out,
      /^Replay: 7 sent back, left: what was not reached\.\nIt ended early: The queue does not answer\./,
    );
  });

  test('interrupted, what the server has moved until then is told', async () => {
    const { run, letters, interrupt, back } = await mixed();
    letters.onMoveAll = (_, tell) => {
      interrupt.abort();
      tell(3);
      throw new Failure('InternalError', 'was not asked', { retryable: true });
    };
    const { code, out, err } = await run('dlq', 'replay', '--all', '--malformed', '--yes');
    assert.deepEqual([code, err, back().length], [1, '', 0]);
    assert.match(out, /^Replay: 3 sent back, left: .*\nIt ended early: interrupted\./);
  });

  for (const args of [['--all'], ['orders'], ['--all', '--malformed', '-n', 'shop'], ['--reason', 'Malformed']])
    test(`with ${args.join(' ')} the server is not asked, since something stays`, async () => {
      const { run, letters } = await mixed();
      letters.onMoveAll = () => assert.fail('asked');
      assert.equal((await run('dlq', 'replay', ...args, '--yes')).code, 0);
    });

  test('no more go a second than asked for', async () => {
    const { run, put, letters, pauses } = await made();
    for (let group = 0; group < 100; group++) put(request('clicks'));
    const sent = { now: 0, most: 0 };
    letters.onSend = () => {
      sent.now++;
      sent.most = Math.max(sent.most, sent.now - (10 * pauses.reduce((sum, ms) => sum + ms, 0)) / 1_000);
    };
    assert.equal((await run('dlq', 'replay', '--all', '--rate', '10', '--yes')).code, 0);
    assert.ok(sent.now === 100 && sent.most <= 10, `${sent.most} too early`);
  });

  test('what comes in meanwhile is left for the next time: what fails at once would go round for ever', async () => {
    const { run, letters, dead, wait, left, back } = await mixed();
    letters.onSend = ({ id, body }) => {
      wait(1);
      dead.reconcile.send({ body, group: id, deduplicationId: id });
    };
    const { code, out } = await run('dlq', 'replay', '--all', '--yes');
    assert.equal(code, 0);
    assert.match(out, /^Replay: 4 sent back, left: 1 nobody can read .*, 4 came in since it began\.$/m);
    assert.deepEqual([left().length, back().length], [5, 4]);
  });

  test('K157: what could not be sent stays, it ends there and says so, exit 1', async () => {
    const { run, letters, left, back } = await mixed();
    letters.onSend = ({ id }) => {
      if (id === 'message-2') throw new Error('no room');
    };
    const { code, out } = await run('dlq', 'replay', '--all', '--yes');
    assert.equal(code, 1);
    assert.match(out, /^Replay: 3 sent back, left: .*1 not done.*\nIt ended early: .*no room.*Nothing is lost/);
    assert.deepEqual([left().length, back().length], [2, 3]);
  });

  test('K157: what was sent and could not be taken out is in both, and it says so, exit 1', async () => {
    const { run, letters, left, back } = await mixed();
    letters.onRemove = () => {
      throw new Error('away');
    };
    const { code, out } = await run('dlq', 'replay', 'orders', '--yes');
    assert.equal(code, 1);
    assert.match(out, /^Replay: 1 sent back.*\n1 of them could not be taken out and are still there/);
    assert.deepEqual([left().length, back().length], [5, 1]);
  });

  test('interrupted, what was sent is taken out, the rest is given back', async () => {
    const { run, put, letters, interrupt, left, back } = await made();
    for (let group = 0; group < 50; group++) put(request('clicks'));
    letters.onSend = () => interrupt.abort();
    const { code, out } = await run('dlq', 'replay', '--all', '--yes');
    assert.equal(code, 1);
    assert.match(out, /^Replay: 10 sent back, left: about 40 not reached .*\.\nIt ended early: interrupted\./);
    assert.deepEqual([left().length, back().length], [40, 10]);
  });

  test('--dry-run shows what would go, and changes nothing', async () => {
    const { run, left, back } = await mixed();
    const { code, out } = await run('dlq', 'replay', '--all', '--dry-run');
    assert.equal(code, 0);
    assert.match(out, /\n4 dead letters of 4 objects; 1 not asked for\.\nTo be sent back: 4\.\n$/);
    assert.deepEqual([left().length, back().length], [5, 0]);
  });

  for (const answer of ['n', '', undefined])
    test(`the answer ${answer} changes nothing, exit 1`, async () => {
      const { run, left, back } = await mixed(answer === undefined ? {} : { answer });
      const { code, err } = await run('dlq', 'replay', '--all');
      assert.equal(code, 1);
      assert.match(err, /nothing was changed: (you did not agree|there is no terminal to ask at; --yes replays)/);
      assert.deepEqual([left().length, back().length], [5, 0]);
    });
});

describe('topicsmith dlq drop', () => {
  test('K157: bodies are in a file for nobody else to read before they are deleted', async () => {
    const { run, letters, left, back } = await mixed();
    const file = join(folder, 'dropped.jsonl');
    const saved = () =>
      readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    letters.onRemove = ({ id }) => assert.ok(saved().some((message) => message.id === id));
    const { code, out } = await run('dlq', 'drop', '--all', '--save', file, '--yes');
    assert.deepEqual([code, out], [0, `Drop: 5 dropped, none left.\nTheir bodies are in ${file}.\n`]);
    assert.deepEqual([left(), back()], [[], []]);
    assert.equal(saved().length, 5);
    assert.ok(saved().some(({ body }) => body === 'not \u001b[31m JSON\u202e \u0085\n'));
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  test('a file that is there is not touched, and then nothing is deleted', async () => {
    const { run, left } = await mixed();
    const file = join(folder, 'there.jsonl');
    writeFileSync(file, 'mine');
    const { code, out } = await run('dlq', 'drop', '--all', '--save', file, '--yes');
    assert.equal(code, 1);
    assert.match(out, /^Drop: 0 dropped.*\nIt ended early: cannot write .*: it is there already: --save names another/);
    assert.deepEqual([left().length, readFileSync(file, 'utf8')], [5, 'mine']);
  });

  test('what was gone when objects were listed is asked for once more before it is dropped', async () => {
    const { run, letters, apply, put, left } = await made();
    for (const name of ['lost', 'made']) put(request(name));
    letters.onReceive = () => void apply('made', { numPartitions: 1 });
    const file = join(folder, 'gone.jsonl');
    const { code, out } = await run('dlq', 'drop', '--reason', 'Gone', '--save', file, '--yes');
    assert.equal(code, 0);
    assert.match(out, /^Drop: 1 dropped, left: 1 not asked for\.$/m);
    assert.deepEqual(left(), [request('made')]);
  });

  test('an object that cannot be asked for is no reason to drop anything, exit 1', async () => {
    const { run, letters, resources, put, left } = await made();
    put(request('lost'));
    letters.onReceive = () => {
      resources.fault = () => {
        throw away();
      };
    };
    const { code, out } = await run('dlq', 'drop', '--reason', 'Gone', '--save', join(folder, 'unread'), '--yes');
    assert.equal(code, 1);
    assert.match(out, /^Drop: 0 dropped.*\nIt ended early: no broker answers\./);
    assert.equal(left().length, 1);
  });

  test('asks, and makes no file when there is nothing to drop', async () => {
    const { run, asked } = await mixed({ answer: 'y' });
    const { code, err } = await run('dlq', 'drop', 'nobody', '--save', join(folder, 'none.jsonl'));
    assert.deepEqual([code, asked], [1, []]);
    assert.match(err, /nothing was changed: there is nothing to do/);
    assert.throws(() => statSync(join(folder, 'none.jsonl')));
  });
});

describe('flags of dlq', () => {
  for (const [args, problem] of [
    [['replay', '--yes'], /say which ones/],
    [['drop', '--yes', '-n', 'shop'], /say which ones/],
    [['show'], /say which ones/],
    [['replay', '--all', 'orders'], /--all does not go together/],
    [['replay', '--all', '--rate', '501'], /--rate is "501": it has to be a whole number from 1 to 500/],
    [['list', '--reason', 'Nix'], /--reason is "Nix": there is no such reason/],
    [['list', '--older-than', 'x'], /--older-than is "x": it has to be as in 90s, 5m, 1h or 7d$/m],
    [['list', '-l', '!!'], /--selector: /],
    [['list', '--limit', '0'], /--limit is "0": it has to be a whole number from 1 to 10000$/m],
    [['list', '--limit', '10001'], /--limit is "10001": it has to be a whole number from 1 to 10000$/m],
    [['list', '--queue', 'ticks', 'orders'], /ticks are of no object/],
    [['list', '--queue', 'other'], /--help shows/],
    [['list', 'orders', '-A'], /a name needs one namespace/],
  ] as const)
    test(`${args.join(' ')} is one line that says what to do, exit 1`, async () => {
      const { run, left } = await mixed();
      const { code, out, err } = await run('dlq', ...args);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, problem);
      assert.equal(left().length, 5);
    });
});
