/**
 * Every regular expression in the sources that ship, against text made to have it try everything. One that is linear is done
 * with 200,000 characters in milliseconds; one that backtracks over what it has read takes a minute or more.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { world } from '../core/world.ts';

const length = 200_000;
const boundMs = 3_000;

/** A regular expression as it stands in code: behind what cannot end an operand. */
const literal =
  /(?<=(?:^|[=(,:!&|?{};[>\n]|\breturn|\bcase)\s*)\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([dgimsuvy]*)(?=\s*[,;).\]}:\n]|$)/g;

const files = globSync('functions/**/*.ts').filter((file) => !file.includes('generated'));
const withoutComments = (text: string) => text.replace(/^\s*(\/\*\*?|\*|\/\/).*$/gm, '');

type Found = { readonly file: string; readonly source: string; readonly flags: string };

const found: readonly Found[] = files.flatMap((file) =>
  [...withoutComments(readFileSync(file, 'utf8')).matchAll(literal)].map(([, source = '', flags = '']) => ({
    file,
    source,
    flags,
  })),
);

/** Made while running, from what is no tenant's. */
const made: Readonly<Record<string, string>> = {
  'functions/core/schema/kafkatopic.ts': 'the pattern of topic names, a constant',
  'functions/core/schema/validate.ts': 'patterns of the schema, constants',
  'functions/core/selector.ts': 'constants',
  'functions/commands/objects.ts': "the kind's own names, constants",
  'functions/commands/import-sources.ts': 'a pattern of whoever runs the command line',
};

/** Look at text that somebody has made short before. */
const bounded: Readonly<Record<string, string>> = {
  'functions/settings/read.ts /[^\\s,/]*@/': 'the first 2,000 characters of a setting',
  'functions/adapters/kube/events.ts /[-.]+$/': 'a name cut to 252 characters',
  'functions/core/manifest.ts /[-.]+$/': 'a name cut to 248 characters',
  'functions/core/manifest.ts /^-+|-+$/': 'a part of a topic name, of 249 characters at most',
};

/** What an expression could be about: its own characters, those of its classes, and the usual ones. */
function attacksOn({ source }: Found): readonly string[] {
  const own = [...new Set(source.replace(/\\[pP]\{[^}]*\}/g, '').match(/[\w"'`.\-/:;,=@#\s]/g) ?? [])];
  const units = [
    ...new Set([
      ...own,
      ...['a', 'A', '0', ' ', '\n', '-', '.', '"', "'", '/', '\\', '\u001b', 'é'],
      'a.',
      '-a',
      '" ',
      '\\"',
      'a=',
      '/a',
      '{}',
      'a:',
    ]),
  ];
  const ends = ['', '!', '\n', '\u0000x'];
  const texts = units.flatMap((unit) => ends.map((end) => unit.repeat(length / unit.length) + end));
  return texts.flatMap((text) => [text, `x${text}`]);
}

test('T130: every regular expression is found', () => {
  assert.ok(found.length >= 40, String(found.length));
  const [, oneLine = ''] = readFileSync('functions/core/harmless.ts', 'utf8').split('const secret =\n  /');
  assert.ok(
    found.some(({ source }) => oneLine.startsWith(source)),
    'also one that stands on a line of its own',
  );
  // calls that name an expression outright, counted another way
  const calls = files.flatMap((file) => [
    ...withoutComments(readFileSync(file, 'utf8')).matchAll(
      /\.(?:replace|replaceAll|match|matchAll|split)\(\/|\/[a-z]*\.(?:test|exec)\(/g,
    ),
  ]);
  assert.ok(found.length >= calls.length, `${found.length} found, ${calls.length} calls`);
});

test('T130: expressions are made of constants, and of what the person at the command line types', () => {
  const places = files.filter((file) => /\bRegExp\(/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(places.sort(), Object.keys(made).sort());
});

for (const one of found.filter(({ file, source }) => !(`${file} /${source}/` in bounded)))
  test(`T130: ${one.file} /${one.source}/${one.flags} is done with hostile text at once`, () => {
    for (const text of attacksOn(one)) {
      const context = { text, expression: new RegExp(one.source, one.flags) };
      assert.doesNotThrow(
        () => runInNewContext("text.replace(expression, '')", context, { timeout: boundMs }),
        JSON.stringify(text.slice(0, 8)),
      );
    }
  });

test('T130: what is excused is still there', () => {
  const all = found.map(({ file, source }) => `${file} /${source}/`);
  assert.deepEqual(
    Object.keys(bounded).filter((key) => !all.includes(key)),
    [],
  );
});

test('T130: the longest value that a tenant can set for a list is dealt with at once', async () => {
  const { apply, pass, ready } = world();
  apply('orders', { config: { 'cleanup.policy': 'delete' } });
  await pass(['orders']);
  apply('orders', { config: { 'cleanup.policy': `delete,compact${' '.repeat(130_000)}` } });
  const before = process.cpuUsage().user;
  await pass(['orders']);
  assert.ok((process.cpuUsage().user - before) / 1_000 < boundMs);
  assert.equal(ready('orders'), 'True Synced');
});
