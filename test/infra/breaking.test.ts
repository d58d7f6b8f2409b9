import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { Schema } from '../../functions/core/schema/schema.ts';
import { isObject, validate } from '../../functions/core/schema/validate.ts';
import { breaking, type Definition } from '../../infra/generate/breaking.ts';
import { crd } from '../../infra/generate/crd.ts';
import { allChanges, type Editable, edited } from '../crds/changes.ts';
import { table } from '../support/table.ts';

const present = crd() as Definition;
const released = parse(
  readFileSync(new URL('../../crds/released/kafkatopic.yaml', import.meta.url), 'utf8'),
) as Definition;

test('the present definition breaks nothing that the released one allows', () => {
  assert.deepEqual(breaking(released, present), []);
});

test('a definition breaks nothing of itself', () => {
  assert.deepEqual(breaking(present, structuredClone(present)), []);
});

table(
  'a change',
  (edit) => breaking(present, edited(edit)),
  allChanges.map(({ reason, edit, says }) => ({ reason, given: edit, want: says })),
);

/** Every place of a schema, itself first. */
const placesOf = (schema: Editable): readonly Editable[] => [
  schema,
  ...Object.values(schema.properties ?? {}).flatMap(placesOf),
  ...(schema.items ? placesOf(schema.items) : []),
  ...(schema.additionalProperties ? placesOf(schema.additionalProperties) : []),
];

const numbers = ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'maxProperties'];
const words = ['Enforce', 'Retain', 'True', 'planned', 'other'];
const types = ['object', 'array', 'string', 'integer', 'boolean', undefined];

/** Sets a keyword of a place to a value, or takes it away. */
const keyword = fc.oneof(
  fc.record({ name: fc.constantFrom(...numbers), value: fc.constantFrom(undefined, 0, 1, 2, 5, 250, 1e6) }),
  fc.record({ name: fc.constant('type'), value: fc.constantFrom(...types) }),
  fc.record({
    name: fc.constant('enum'),
    value: fc.option(fc.uniqueArray(fc.constantFrom(...words)), { nil: undefined }),
  }),
  fc.record({ name: fc.constant('pattern'), value: fc.constantFrom(undefined, '^[A-Z]', '') }),
  fc.record({ name: fc.constant('description'), value: fc.string() }),
  fc.record({
    name: fc.constantFrom('nullable', 'x-kubernetes-preserve-unknown-fields'),
    value: fc.constantFrom(undefined, true),
  }),
  fc.record({
    name: fc.constantFrom('additionalProperties', 'items'),
    value: fc.constantFrom(undefined, {}, { type: 'string' }),
  }),
);
/** A field that goes, comes, or is required: by the position of its name among those that are there. */
const field = fc.record({ what: fc.constantFrom('drop', 'add', 'require', 'release'), index: fc.nat(30) });

function edit(place: Editable, { name, value }: { name: string; value: unknown }): void {
  if (value === undefined) delete place[name];
  else place[name] = value;
}

function editField(place: Editable, { what, index }: { what: string; index: number }): void {
  if (place.properties === undefined) return;
  const names = Object.keys(place.properties);
  const name = names[index % names.length] ?? '';
  if (what === 'drop') delete place.properties[name];
  if (what === 'add') place.properties[`more${index}`] = { type: 'string', maxLength: 1 };
  if (what === 'require') place.required = [...new Set([...(place.required ?? []), name])];
  if (what === 'release') place.required = (place.required ?? []).filter((other: string) => other !== name);
}

const someEdits = fc.array(fc.record({ place: fc.nat(200), how: fc.oneof(keyword, field) }), {
  minLength: 1,
  maxLength: 2,
});

function editedAt(edits: readonly { place: number; how: Editable }[]): Editable {
  return edited((definition) => {
    for (const { place, how } of edits) {
      const { spec, status } = definition.spec.versions[0].schema.openAPIV3Schema.properties;
      const places = [...placesOf(spec), ...placesOf(status)];
      const at = places[place % places.length];
      if ('what' in how) editField(at, how);
      else edit(at, how);
    }
  });
}

/** Values of a schema, near its limits more often than not. */
function valuesOf(schema: Editable): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const { minimum = -5, maximum = 1e9, minLength = 0, maxLength = 60, properties, additionalProperties } = schema;
  if (schema.type === 'integer') return fc.oneof(fc.constantFrom(minimum, maximum), fc.integer({ min: 0, max: 9 }));
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'string')
    return fc
      .constantFrom('Synced', 'a', 'True', '2026-11-22T10:00:00Z', 'a'.repeat(minLength), 'a'.repeat(maxLength))
      .filter((text) => validate(schema, text, 'it') === undefined);
  if (schema.type === 'array') return fc.array(valuesOf(schema.items), { maxLength: 3 });
  if (properties) {
    const fields = Object.entries(properties).map(([name, one]) => [name, valuesOf(one)]);
    return fc.record(Object.fromEntries(fields), { requiredKeys: schema.required ?? [] });
  }
  if (additionalProperties) return fc.dictionary(fc.constantFrom('a', 'b', '0'), valuesOf(additionalProperties));
  return fc.constantFrom(null, 'text', 5, true, ['a'], { a: { b: 1 } });
}

/** What the API server keeps of a value: fields that a schema does not name are dropped. */
function kept(schema: Schema | undefined, value: unknown): unknown {
  if (schema === undefined || schema['x-kubernetes-preserve-unknown-fields']) return value;
  if (Array.isArray(value)) return value.map((item) => kept(schema.items, item));
  if (!isObject(value)) return value;
  const { properties = {}, additionalProperties } = schema;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      const of = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
      return of === undefined ? [] : [[name, kept(of, field)]];
    }),
  );
}

const schemaOf = (definition: Editable): Schema => definition.spec.versions[0].schema.openAPIV3Schema;
const takes = (definition: Editable, value: unknown): boolean =>
  validate(schemaOf(definition), value, 'object') === undefined &&
  isDeepStrictEqual(kept(schemaOf(definition), value), value);

test('whatever is edited at random: without a complaint, all that was taken is taken, and kept whole', () => {
  const { spec, status } = (schemaOf(present).properties ?? {}) as Record<'spec' | 'status', Schema>;
  // as JSON, which is all that is ever stored
  const objects = fc
    .record({ spec: valuesOf(spec), status: valuesOf(status) })
    .map((object) => JSON.parse(JSON.stringify(object)));
  const taken = fc.sample(objects, 60).filter((object) => takes(present, object));
  const counts = { harmless: 0, refusedRightly: 0 };
  fc.assert(
    fc.property(someEdits, (edits) => {
      const definition = editedAt(edits);
      const lines = breaking(present, definition);
      const lost = taken.filter((object) => !takes(definition, object));
      if (lines.length === 0) assert.deepEqual(lost, [], JSON.stringify(edits));
      if (lines.length === 0) counts.harmless++;
      else if (lost.length > 0) counts.refusedRightly++;
    }),
    { numRuns: 1500 },
  );
  assert.ok(counts.harmless > 200 && counts.refusedRightly > 200, JSON.stringify({ ...counts, taken: taken.length }));
});
