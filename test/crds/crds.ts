import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { ApiError, type KubeClient, topicsPath } from '../../functions/adapters/kube/client.ts';
import type { Manifest, StoredObject } from '../support/kube/objects.ts';

export type Example = { readonly file: string; readonly expect: string; readonly objects: readonly Manifest[] };

/** The examples of one folder; `expect` is what the comment in the first line says. */
export function examples(folder: 'samples' | 'valid' | 'invalid' | 'updates'): readonly Example[] {
  const directory = new URL(`../../crds/examples/${folder}/`, import.meta.url);
  return readdirSync(directory).map((file) => {
    const text = readFileSync(new URL(file, directory), 'utf8');
    const expect = /^# expect: (.*)/.exec(text)?.[1] ?? '';
    return { file, expect, objects: parseAllDocuments(text).map((document) => document.toJS() as Manifest) };
  });
}

export type Verdict = { readonly accepted: StoredObject } | { readonly refused: string };

/** What the API server says to the creation of an object; nothing is stored. */
export async function tryCreate(
  client: KubeClient,
  namespace: string,
  object: unknown,
  strict = true,
): Promise<Verdict> {
  const query = { dryRun: 'All', fieldValidation: strict ? 'Strict' : 'Ignore' };
  return verdict(client.request('POST', topicsPath(namespace), { query, body: object }));
}

export async function verdict(answer: Promise<unknown>): Promise<Verdict> {
  try {
    return { accepted: (await answer) as StoredObject };
  } catch (error) {
    if (error instanceof ApiError && [400, 422].includes(error.code)) return { refused: error.message };
    throw error;
  }
}

const patience = 60_000;

/** An admission policy works some moments after it was stored. */
export async function policyWorks(client: KubeClient, namespace: string, object: unknown): Promise<void> {
  const deadline = Date.now() + patience;
  while ('accepted' in (await tryCreate(client, namespace, object)))
    if (Date.now() > deadline) throw new Error('the API server does not apply crds/kafkatopic-policy.yaml');
}
