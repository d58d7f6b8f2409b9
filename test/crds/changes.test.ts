/** What is said of changes of the definition is what the API server does, each under a group of its own. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { ApiError } from '../../functions/adapters/kube/client.ts';
import { group, kind, plural, version } from '../../functions/core/api.ts';
import { crd } from '../../infra/generate/crd.ts';
import { createNamespace, realApi, removeNamespace } from '../support/kube/real-api.ts';
import { allChanges, type Change, type Editable, edited } from './changes.ts';
import { examples } from './crds.ts';

const client = realApi();
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const made: string[] = [];
let namespace = '';
before(async () => {
  namespace = await createNamespace(client);
});
after(async () => {
  await Promise.all(made.map((name) => client.request('DELETE', `${crds}/${name}`)));
  await removeNamespace(client, namespace);
  await client.close();
});

type Stored = { readonly spec: { readonly revision: string } };

/** A definition under a group of its own, so that it can be changed without touching anybody. */
class OwnDefinition {
  readonly #group = `${randomUUID().slice(0, 8)}.example.com`;
  #revision = 0;

  /** Works before it returns: each has a field whose default says which one it is. */
  async apply(definition: Editable): Promise<void> {
    const body = JSON.parse(JSON.stringify(definition).replaceAll(group, this.#group));
    const { spec } = body.spec.versions[0].schema.openAPIV3Schema.properties;
    spec.properties.revision = { type: 'string', default: String(++this.#revision) };
    const { name } = body.metadata;
    if (this.#revision === 1) made.push(name);
    const query = { fieldManager: 'test', force: true };
    await client.request('PATCH', `${crds}/${name}`, { query, body, contentType: 'application/apply-patch+yaml' });
    const deadline = Date.now() + 30_000;
    while (!(await this.#works()))
      if (Date.now() > deadline) throw new Error('the API server does not take over the definition');
  }

  /** One that refuses an empty spec is another than the first. */
  async #works(): Promise<boolean> {
    const seen = await this.create('probe', { spec: {} }).catch((error: ApiError) => error);
    if (!(seen instanceof ApiError)) return seen.spec.revision === String(this.#revision);
    return this.#revision > 1 && seen.code === 422;
  }

  /** The object as it would be stored. @throws ApiError */
  async create(name: string, more: object): Promise<Stored> {
    const body = { apiVersion: `${this.#group}/${version}`, kind, metadata: { name }, ...more };
    const path = `/apis/${this.#group}/${version}/namespaces/${namespace}/${plural}`;
    const query = { dryRun: 'All', fieldValidation: 'Strict' };
    return (await client.request('POST', path, { query, body })) as Stored;
  }
}

const present = crd();
const isTold = ({ witness }: Change) => witness !== undefined;
const isHarmless = ({ says, edit }: Change) => says.length === 0 && edited(edit).spec.versions.length === 1;

describe('a change that breaks something', { concurrency: true }, () => {
  for (const { reason, edit, witness = {} } of allChanges.filter(isTold))
    test(`shows in an object: ${reason}`, async () => {
      const own = new OwnDefinition();
      await own.apply(present);
      const { spec } = await own.create('witness', { spec: witness });
      assert.deepEqual({ ...spec, ...witness }, spec);
      await own.apply(edited(edit));
      await assert.rejects(own.create('witness', { spec: witness }), ApiError);
    });
});

describe('a change that breaks nothing', { concurrency: true }, () => {
  const objects = examples('valid').flatMap(({ objects }) => objects);
  for (const { reason, edit } of allChanges.filter(isHarmless))
    test(`shows in no object: ${reason}`, async () => {
      const own = new OwnDefinition();
      await own.apply(edited(edit));
      for (const { metadata, spec = {} } of objects) {
        const stored = await own.create(String(metadata.name), { spec });
        assert.deepEqual({ ...stored.spec, ...spec }, stored.spec);
      }
    });
});

test('a cluster that has the released definition takes the present one in its place', async () => {
  const file = new URL('../../crds/released/kafkatopic.yaml', import.meta.url);
  const own = new OwnDefinition();
  await own.apply(parse(readFileSync(file, 'utf8')));
  await own.apply(present);
});
