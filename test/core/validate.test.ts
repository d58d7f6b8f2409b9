/** What our own reading of the schema refuses, of objects that were stored before a rule existed. */
import { configSize } from '../../functions/core/schema/config.ts';
import type { Schema } from '../../functions/core/schema/schema.ts';
import { validate } from '../../functions/core/schema/validate.ts';
import { table } from '../support/table.ts';

const verdict = ([schema, value]: readonly [Schema, unknown]) => validate(schema, value, 'spec.x') ?? 'accepted';
const name: Schema = { type: 'string', minLength: 2, maxLength: 3 };
const list: Schema = { type: 'array', minItems: 1, maxItems: 2, items: name };
const object: Schema = {
  type: 'object',
  properties: { a: name, b: { type: 'string', nullable: true } },
  required: ['a'],
};
const even: Schema = {
  type: 'integer',
  rules: [
    { rule: 'self == oldSelf', message: 'stays as it is' },
    { rule: 'self % 2 == 0', message: 'must be even', holds: (self) => Number(self) % 2 === 0 },
  ],
};

table('a value under a schema', verdict, [
  { reason: 'text', given: [{ type: 'string' }, 'a'], want: 'accepted' },
  { reason: 'no text', given: [{ type: 'string' }, 7], want: 'spec.x must be text' },
  { reason: 'true', given: [{ type: 'boolean' }, true], want: 'accepted' },
  { reason: 'not quite true', given: [{ type: 'boolean' }, 'true'], want: 'spec.x must be true or false' },
  { reason: 'not whole', given: [{ type: 'integer' }, 1.5], want: 'spec.x must be a whole number' },
  { reason: 'no list', given: [{ type: 'array' }, {}], want: 'spec.x must be a list' },
  { reason: 'a list is no object', given: [{ type: 'object' }, []], want: 'spec.x must be an object' },
  { reason: 'nothing where nothing may be', given: [{ type: 'string', nullable: true }, null], want: 'accepted' },
  {
    reason: 'something where nothing may be',
    given: [{ type: 'string', nullable: true }, 7],
    want: 'spec.x must be text',
  },
  { reason: 'nothing where something has to be', given: [{ type: 'string' }, null], want: 'spec.x must be text' },
  { reason: 'anything, where the schema says nothing', given: [{}, null], want: 'accepted' },
  { reason: 'one of a list', given: [{ enum: ['a', 'b'] }, 'b'], want: 'accepted' },
  { reason: 'none of a list', given: [{ enum: ['a', 'b'] }, 'c'], want: 'spec.x must be one of a, b' },
  { reason: 'the largest number', given: [{ maximum: 3 }, 3], want: 'accepted' },
  { reason: 'the smallest number', given: [{ minimum: 1 }, 1], want: 'accepted' },
  { reason: 'too large', given: [{ minimum: 1, maximum: 3 }, 4], want: 'spec.x must be between 1 and 3' },
  { reason: 'too small', given: [{ minimum: 1, maximum: 3 }, 0], want: 'spec.x must be between 1 and 3' },
  { reason: 'long enough', given: [name, 'ab'], want: 'accepted' },
  { reason: 'not too long', given: [name, 'abc'], want: 'accepted' },
  { reason: 'too short', given: [name, 'a'], want: 'spec.x must have 2 to 3 characters' },
  { reason: 'too long', given: [name, 'abcd'], want: 'spec.x must have 2 to 3 characters' },
  {
    reason: 'too long, with nothing said of too short',
    given: [{ maxLength: 1 }, 'ab'],
    want: 'spec.x must have 0 to 1 characters',
  },
  { reason: 'three characters, however many bytes they take', given: [name, '😀😀😀'], want: 'accepted' },
  {
    reason: 'one character, however many bytes it takes',
    given: [name, '😀'],
    want: 'spec.x must have 2 to 3 characters',
  },
  { reason: 'a pattern', given: [{ pattern: '^a+$' }, 'aa'], want: 'accepted' },
  { reason: 'another text', given: [{ pattern: '^a+$' }, 'ab'], want: 'spec.x must match ^a+$' },
  { reason: 'a pattern reads characters, not halves of them', given: [{ pattern: '^.$' }, '😀'], want: 'accepted' },
  { reason: 'a pattern is for texts', given: [{ pattern: '^a+$' }, 7], want: 'accepted' },
  { reason: 'as many entries as may be', given: [list, ['ab', 'ab']], want: 'accepted' },
  { reason: 'too many entries', given: [list, ['ab', 'cd', 'ef']], want: 'spec.x must have 1 to 2 entries' },
  { reason: 'too few entries', given: [list, []], want: 'spec.x must have 1 to 2 entries' },
  { reason: 'the entry that is wrong', given: [list, ['ab', 'c']], want: 'spec.x[1] must have 2 to 3 characters' },
  {
    reason: 'an entry twice in a set',
    given: [{ type: 'array', 'x-kubernetes-list-type': 'set' }, ['a', 'a']],
    want: 'spec.x must not name an entry twice',
  },
  { reason: 'the fields that have to be', given: [object, { a: 'ab' }], want: 'accepted' },
  { reason: 'a field that is missing', given: [object, { b: 'b' }], want: 'spec.x.a is missing' },
  { reason: 'a field that is null counts as missing', given: [object, { a: null }], want: 'spec.x.a is missing' },
  { reason: 'a field that may be null', given: [object, { a: 'ab', b: null }], want: 'accepted' },
  { reason: 'a field that is wrong', given: [object, { a: 'a' }], want: 'spec.x.a must have 2 to 3 characters' },
  { reason: 'a field that nobody knows is pruned', given: [object, { a: 'ab', c: 7 }], want: 'accepted' },
  {
    reason: 'a field of any name',
    given: [{ type: 'object', additionalProperties: name }, { k: 'a' }],
    want: 'spec.x.k must have 2 to 3 characters',
  },
  { reason: 'as many fields as may be', given: [{ type: 'object', maxProperties: 1 }, { a: 1 }], want: 'accepted' },
  {
    reason: 'too many fields',
    given: [
      { type: 'object', maxProperties: 1 },
      { a: 1, b: 2 },
    ],
    want: 'spec.x must not have more than 1 entries',
  },
  { reason: 'a rule that holds', given: [even, 2], want: 'accepted' },
  { reason: 'a rule that is broken', given: [even, 3], want: 'spec.x: must be even' },
]);

table('how large a config is', configSize, [
  { reason: 'nothing', given: {}, want: 0 },
  { reason: 'characters of key and value', given: { ab: 'cde' }, want: 5 },
  { reason: 'a number is one, and so is a boolean', given: { a: 1000, b: true }, want: 4 },
  { reason: 'texts of a list, each with its comma', given: { a: ['bc', 'd'] }, want: 6 },
  { reason: 'numbers of a list with theirs', given: { a: [1000, 2000] }, want: 3 },
  { reason: 'characters, not halves of them', given: { '😀': '😀😀' }, want: 3 },
]);
