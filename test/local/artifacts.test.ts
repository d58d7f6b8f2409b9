import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Artifact, cacheDirectory, isCached, obtain, placeOf } from '../../infra/local/artifacts.ts';
import { run } from '../../infra/local/process.ts';
import { directory } from './support.ts';

const artifactsModule = join(import.meta.dirname, '..', '..', 'infra', 'local', 'artifacts.ts');
const silent = () => {};

function world(t: TestContext) {
  const dir = directory(t);
  const source = join(dir, 'source');
  writeFileSync(source, 'one');
  let builds = 0;
  const artifact: Artifact = {
    name: 'tool',
    doing: 'building',
    sources: [source],
    key: 'options',
    tools: [],
    lock: 'tool',
    build: async (into) => {
      builds += 1;
      writeFileSync(join(into, 'result'), readFileSync(source));
    },
  };
  return { cache: join(dir, 'cache'), source, artifact, builds: () => builds };
}

describe('an artifact', () => {
  test('is built once', async (t) => {
    const { artifact, cache, builds } = world(t);
    assert.ok(!isCached(artifact, cache));
    const place = await obtain(artifact, silent, undefined, cache);
    assert.equal(readFileSync(join(place, 'result'), 'utf8'), 'one');
    assert.equal(await obtain(artifact, silent, undefined, cache), place);
    assert.ok(isCached(artifact, cache));
    assert.equal(builds(), 1);
  });

  test('is finished where it stays', async (t) => {
    const { artifact, cache } = world(t);
    const finish = async (place: string) => writeFileSync(join(place, 'where'), place);
    const place = await obtain({ ...artifact, finish }, silent, undefined, cache);
    assert.equal(readFileSync(join(place, 'where'), 'utf8'), place);
    assert.equal(place, placeOf(artifact, cache));
  });

  test('that could not be finished is there all the same, and it is said', async (t) => {
    const { artifact, cache, builds } = world(t);
    const lines: string[] = [];
    const hopeless = { ...artifact, finish: () => Promise.reject(new Error('no room')) };
    await obtain(hopeless, (line) => lines.push(line), undefined, cache);
    assert.ok(lines.includes('tool: goes on without what would make it start faster: no room'), lines.join());
    await obtain(hopeless, silent, undefined, cache);
    assert.equal(builds(), 1);
  });

  test('whose finishing was cut off is not taken for done, and is made anew', async (t) => {
    const { artifact, cache, builds } = world(t);
    const end = new AbortController();
    const finish = async () => end.abort();
    const cutOff = { ...artifact, finish: () => finish().then(() => Promise.reject(new Error('ended'))) };
    await assert.rejects(obtain(cutOff, silent, end.signal, cache), { name: 'AbortError' });
    assert.ok(!isCached(artifact, cache));
    const place = await obtain(artifact, silent, undefined, cache);
    assert.ok(isCached(artifact, cache));
    assert.equal(readFileSync(join(place, 'result'), 'utf8'), 'one');
    assert.equal(builds(), 2);
  });

  test('says what takes time, and nothing when it is there', async (t) => {
    const { artifact, cache } = world(t);
    const lines: string[] = [];
    await obtain(artifact, (line) => lines.push(line), undefined, cache);
    await obtain(artifact, (line) => lines.push(line), undefined, cache);
    assert.deepEqual(lines, ['tool: building', 'tool: done in 0 s']);
  });

  test('is built anew, elsewhere, when a source or an option changes', async (t) => {
    const { artifact, cache, source } = world(t);
    const places = [await obtain(artifact, silent, undefined, cache)];
    places.push(await obtain({ ...artifact, key: 'other options' }, silent, undefined, cache));
    writeFileSync(source, 'two');
    places.push(await obtain(artifact, silent, undefined, cache));
    assert.equal(new Set(places).size, 3);
    assert.deepEqual(
      places.map((place) => readFileSync(join(place, 'result'), 'utf8')),
      ['one', 'one', 'two'],
    );
  });

  test('whose build failed half way is not taken for done, and the next build starts clean', async (t) => {
    const { artifact, cache } = world(t);
    const failing = async (into: string) => {
      writeFileSync(join(into, 'half'), '');
      throw new Error('no network');
    };
    await assert.rejects(obtain({ ...artifact, build: failing }, silent, undefined, cache), /no network/);
    assert.ok(!isCached(artifact, cache));
    const place = await obtain(artifact, silent, undefined, cache);
    assert.deepEqual(readdirSync(place), ['result']);
  });

  test('whose build is called off ends the command that builds it', async (t) => {
    const { artifact, cache } = world(t);
    const off = new AbortController();
    const build: Artifact['build'] = (into, signal) => {
      const command = run(
        process.execPath,
        ['--eval', `require('fs').writeFileSync('begun', ''); setInterval(() => {}, 1000)`],
        {
          cwd: into,
          signal,
        },
      );
      off.abort(new Error('called off'));
      return command;
    };
    await assert.rejects(obtain({ ...artifact, build }, silent, off.signal, cache), /called off/);
    assert.ok(!isCached(artifact, cache));
  });

  test('wanted by two processes at once is built by one of them', async (t) => {
    const { artifact, cache, source } = world(t);
    const log = join(cache, '..', 'builds');
    const script = `
      import { appendFileSync } from 'node:fs';
      import { setTimeout } from 'node:timers/promises';
      import { obtain } from ${JSON.stringify(artifactsModule)};
      const build = async () => { appendFileSync(${JSON.stringify(log)}, 'built\\n'); await setTimeout(300); };
      const artifact = { ...${JSON.stringify({ ...artifact, sources: [source] })}, build };
      console.log(await obtain(artifact, () => {}, undefined, ${JSON.stringify(cache)}));`;
    const one = () => run(process.execPath, ['--input-type=module', '--eval', script]);
    const [first, second] = await Promise.all([one(), one()]);
    assert.equal(first, second);
    assert.equal(readFileSync(log, 'utf8'), 'built\n');
    assert.equal(first.trim(), placeOf(artifact, cache));
    assert.ok(!existsSync(join(cache, 'tool.lock')));
  });
});

describe('the cache', () => {
  test('follows XDG_CACHE_HOME when that is an absolute path', () => {
    assert.equal(cacheDirectory({ XDG_CACHE_HOME: '/caches' }), '/caches/topicsmith');
    assert.match(cacheDirectory({ XDG_CACHE_HOME: 'caches' }), /\/\.cache\/topicsmith$/);
    assert.match(cacheDirectory({}), /\/\.cache\/topicsmith$/);
  });
});
