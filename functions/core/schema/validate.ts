import type { Schema } from './schema.ts';

type Check = (schema: Schema, value: unknown, path: string) => string | undefined;

/**
 * Whether the API server would accept a value under a schema. Written for objects stored before a rule existed.
 *
 * As the API server: null for a field that is not nullable counts as absent, unknown fields count as pruned, lengths are
 * in code points.
 *
 * @returns the first problem as a sentence that begins with the path, or undefined
 */
export const validate: Check = (schema, value, path) => {
  if (value === null && schema.nullable) return undefined;
  if (schema.type !== undefined && !isOfType[schema.type](value)) return `${path} must be ${names[schema.type]}`;
  for (const check of checks) {
    const problem = check(schema, value, path);
    if (problem !== undefined) return problem;
  }
  const broken = schema.rules?.find(({ holds }) => holds !== undefined && !holds(value));
  return broken && `${path}: ${broken.message}`;
};

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isOfType: Record<NonNullable<Schema['type']>, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
};

const names = {
  object: 'an object',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
};

const inEnum: Check = ({ enum: allowed }, value, path) =>
  allowed && !allowed.includes(value as string) ? `${path} must be one of ${allowed.join(', ')}` : undefined;

const inRange: Check = ({ minimum = -Infinity, maximum = Infinity }, value, path) =>
  typeof value === 'number' && (value < minimum || value > maximum)
    ? `${path} must be between ${minimum} and ${maximum}`
    : undefined;

const inLength: Check = ({ minLength = 0, maxLength = Infinity }, value, path) => {
  if (typeof value !== 'string' || (minLength === 0 && value.length <= maxLength)) return undefined;
  const length = [...value].length;
  return length < minLength || length > maxLength
    ? `${path} must have ${minLength} to ${maxLength} characters`
    : undefined;
};

const inPattern: Check = ({ pattern }, value, path) =>
  pattern !== undefined && typeof value === 'string' && !new RegExp(pattern, 'u').test(value)
    ? `${path} must match ${pattern}`
    : undefined;

const itemsFit: Check = (schema, value, path) => {
  if (!Array.isArray(value)) return undefined;
  const { items, minItems = 0, maxItems = Infinity } = schema;
  if (value.length < minItems || value.length > maxItems) return `${path} must have ${minItems} to ${maxItems} entries`;
  if (schema['x-kubernetes-list-type'] === 'set' && new Set(value).size < value.length)
    return `${path} must not name an entry twice`;
  return items && first(value, (item, index) => validate(items, item, `${path}[${index}]`));
};

const propertiesFit: Check = ({ properties = {}, required = [], additionalProperties, maxProperties }, value, path) => {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > (maxProperties ?? Infinity)) return `${path} must not have more than ${maxProperties} entries`;
  const absent = required.find((name) => !Object.hasOwn(value, name) || value[name] === null);
  if (absent !== undefined) return `${path}.${absent} is missing`;
  return first(entries, ([name, field]) => {
    const schema = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (schema === undefined || field === null)
      return schema?.nullable ? validate(schema, field, `${path}.${name}`) : undefined;
    return validate(schema, field, `${path}.${name}`);
  });
};

const checks = [inEnum, inRange, inLength, inPattern, itemsFit, propertiesFit];

function first<T>(items: readonly T[], problemOf: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const problem = problemOf(item, index);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
