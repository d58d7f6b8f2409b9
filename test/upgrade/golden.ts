/** Objects as a release has left them, each with the topic it speaks for: test/golden/objects-<release>. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { FakeTopic } from '../support/kafka/fake-topics.ts';
import type { StoredObject } from '../support/kube/objects.ts';

type Overrides = { readonly overrides: Readonly<Record<string, string>> };

/** The brokers, and what they know of the topic. */
export type Live = {
  readonly clusterId: string;
  readonly brokers: number;
  readonly topic?: Omit<FakeTopic, 'overrides'> & Overrides;
};

export type Left = {
  readonly release: string;
  readonly name: string;
  readonly object: StoredObject;
  readonly live: Live;
};

const root = join(import.meta.dirname, '..', '..');

/** By release and name of the case. */
export const left: readonly Left[] = globSync('test/golden/objects-*/*.yaml', { cwd: root })
  .toSorted()
  .map((file) => {
    const [object, live] = parseAllDocuments(readFileSync(join(root, file), 'utf8')).map((one) => one.toJS());
    return {
      release: basename(join(file, '..')).slice('objects-'.length),
      name: basename(file, '.yaml'),
      object,
      live,
    };
  });
