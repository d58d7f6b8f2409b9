/**
 * Bundles of today and of a release to come, in which messages have another version and say more. Made from the same
 * sources: only what a next version would change is changed, text for text.
 */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Plugin } from 'esbuild';
import { buildBundles } from '../../../infra/build.ts';
import { root } from '../../../infra/local/state.ts';

type Edits = Readonly<Record<string, readonly (readonly [string, string])[]>>;

/** The next one sends fields that nobody knows today. */
const next: Edits = {
  'functions/core/request.ts': [
    ['messageVersion: number = 1;', 'messageVersion: number = 2;'],
    ["'trigger', 'id']", "'trigger', 'id', 'priority']"],
    ["'continue', 'sums']", "'continue', 'sums', 'scope']"],
    ["'unlisted', 'requests']", "'unlisted', 'requests', 'moved']"],
  ],
  'functions/resync.ts': [['pages: 1,', 'pages: 1, moved: 3,']],
  'functions/adapters/sqs.ts': [
    ['JSON.stringify(request)', "JSON.stringify({ ...request, priority: 'high' })"],
    ['JSON.stringify(tick)', "JSON.stringify({ ...tick, scope: 'all' })"],
  ],
};

/** So that few objects make several pages. */
const smallPages: Edits = { 'functions/resync.ts': [['pageSize = 500', 'pageSize = 2']] };

/** @throws Error through esbuild where a text is not there exactly once: then the sources have moved on */
const editing = (edits: Edits): Plugin => ({
  name: 'editing',
  setup({ onLoad }) {
    onLoad({ filter: /\/functions\/.*\.ts$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8');
      for (const [from, to] of edits[relative(root, path)] ?? []) {
        if (contents.split(from).length !== 2) return { errors: [{ text: `${path} does not have once: ${from}` }] };
        contents = contents.replace(from, to);
      }
      return { contents, loader: 'ts' };
    });
  },
});

/** A release as it is deployed: where its `serverless.yml` is, and its bundles. */
export type Release = { readonly service: string; bundle(name: 'forwarder' | 'reconcile' | 'resync'): string };

/** Builds a release into a directory of its own. */
export async function release(which: 'today' | 'next', dir: string): Promise<Release> {
  const edits = { ...smallPages };
  if (which === 'next')
    for (const [file, pairs] of Object.entries(next)) edits[file] = [...(edits[file] ?? []), ...pairs];
  const dist = join(dir, 'dist');
  mkdirSync(dist, { recursive: true });
  cpSync(join(root, 'serverless.yml'), join(dir, 'serverless.yml'));
  cpSync(join(root, 'infra'), join(dir, 'infra'), {
    recursive: true,
    filter: (file) => !file.includes(join('infra', 'local')),
  });
  await buildBundles(['forwarder', 'reconcile', 'resync'], dist, [editing(edits)]);
  return { service: join(dir, 'serverless.yml'), bundle: (name) => join(dist, `${name}.cjs`) };
}
