/**
 * What a change of the definition would break for those who use the released one: manifests that were accepted and would
 * be refused, stored fields that would be dropped or mean something else, and what scripts call things by.
 */
import { isDeepStrictEqual } from 'node:util';

type Fields = Readonly<Record<string, unknown>>;
type Named = Fields & { readonly name: string };

/** What this reads of a CustomResourceDefinition, apiextensions.k8s.io/v1. */
export type Definition = {
  readonly spec: Fields & { readonly names: Fields; readonly versions: readonly Version[] };
};
type Version = Named & {
  readonly schema: { readonly openAPIV3Schema: Fields };
  readonly additionalPrinterColumns?: readonly Named[];
};

/**
 * Compares two definitions. What is not known to be harmless is refused, so that a keyword that nobody has thought of
 * does not slip through.
 *
 * @param released what was published last
 * @param current what is to be published
 * @returns a line for each change that breaks something, with its place; empty when everything stays usable
 * @see https://kubernetes.io/docs/reference/using-api/deprecation-policy/ (rule 1: nothing is removed inside a version)
 * @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api_changes.md#on-compatibility
 */
export function breaking(released: Definition, current: Definition): readonly string[] {
  const { names, versions, ...spec } = released.spec;
  const { names: namesNow, versions: versionsNow, ...specNow } = current.spec;
  return [
    ...changes('definition', spec, specNow, {}),
    ...changes('names', names, namesNow, { shortNames: growing, categories: growing }),
    ...versions.flatMap((version) => versionChanges(version, byName(versionsNow, version.name))),
  ];
}

/** Undefined: harmless. Otherwise what is wrong with it, as the end of a sentence. */
type Judge = (before: unknown, now: unknown) => string | undefined;

const shown = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value));
const changed: Judge = (before, now) =>
  isDeepStrictEqual(before, now) ? undefined : `was ${shown(before)} and is ${shown(now)}`;
const free: Judge = () => undefined;
/** A limit may go, or become wider; `wider` of two numbers. */
const limit =
  (wider: (a: number, b: number) => number): Judge =>
  (before, now) =>
    now === undefined || (before !== undefined && wider(Number(before), Number(now)) === now)
      ? undefined
      : changed(before, now);
const [most, least] = [limit(Math.max), limit(Math.min)];
/** May go as a whole, and must not change otherwise. */
const removable: Judge = (before, now) => (now === undefined ? undefined : changed(before, now));

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const missing = (from: readonly unknown[], all: readonly unknown[]): readonly unknown[] =>
  from.filter((item) => !all.some((other) => isDeepStrictEqual(item, other)));
const lacks = (items: readonly unknown[]): string | undefined =>
  items.length > 0 ? `lacks ${items.map(shown).join(', ')}` : undefined;

const growing: Judge = (before, now) => lacks(missing(listOf(before), listOf(now)));
/** A list of what is allowed: without one everything is. */
const allowing: Judge = (before, now) => {
  if (now === undefined) return undefined;
  return before === undefined ? changed(before, now) : growing(before, now);
};
const demanding: Judge = (before, now) => {
  const more = missing(listOf(now), listOf(before));
  return more.length > 0 ? `has ${more.map(shown).join(', ')} too` : undefined;
};

/** A rule is its condition, and when it runs: what it says when broken may be said better. */
const conditions = (rules: unknown): readonly unknown[] =>
  listOf(rules).map((rule) => {
    const { rule: condition, optionalOldSelf = false } = rule as Fields;
    return optionalOldSelf ? `${condition} (creations too)` : condition;
  });

/** Only what accepts no less, and drops nothing that is stored. */
const keywords: Readonly<Record<string, Judge>> = {
  description: free,
  title: free,
  externalDocs: free,
  example: free,
  maximum: most,
  maxLength: most,
  maxItems: most,
  maxProperties: most,
  minimum: least,
  minLength: least,
  minItems: least,
  minProperties: least,
  pattern: removable,
  format: removable,
  enum: allowing,
  required: demanding,
  'x-kubernetes-validations': (before, now) => demanding(conditions(before), conditions(now)),
  'x-kubernetes-preserve-unknown-fields': (before, now) => (now === true ? undefined : changed(before, now)),
};

/** The keywords, columns or fields of one place whose change is not harmless. What no judge knows must not change. */
function changes(place: string, before: Fields, now: Fields, judges: Readonly<Record<string, Judge>>) {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name) => {
    const wrong = (judges[name] ?? changed)(before[name], now[name]);
    return wrong === undefined ? [] : [`${place}: ${name} ${wrong}`];
  });
}

function versionChanges(released: Version, current: Version | undefined): readonly string[] {
  const { name, schema, additionalPrinterColumns = [], ...rest } = released;
  if (current === undefined) return [`${name}: the version is gone`];
  const { schema: schemaNow, additionalPrinterColumns: columnsNow = [], ...restNow } = current;
  return [
    ...changes(name, { ...rest, name }, restNow, {
      selectableFields: growing,
      deprecated: free,
      deprecationWarning: free,
      served: (before, now) => (now === true ? undefined : changed(before, now)),
    }),
    ...additionalPrinterColumns.flatMap((column) => columnChanges(name, column, byName(columnsNow, column.name))),
    ...schemaChanges(`${name} `, schema.openAPIV3Schema, schemaNow.openAPIV3Schema),
  ];
}

const byName = <T extends Named>(list: readonly T[], name: string): T | undefined =>
  list.find((item) => item.name === name);

const columnChanges = (version: string, before: Named, now: Named | undefined): readonly string[] =>
  now === undefined
    ? [`${version}: column ${before.name} is gone`]
    : changes(`${version}: column ${before.name}`, before, now, { description: free });

/** @param path of the place, with the version before it: `v1alpha1 spec.config` */
function schemaChanges(path: string, before: Fields, now: Fields): readonly string[] {
  const { properties, items, additionalProperties, ...own } = before;
  const { properties: propertiesNow, items: itemsNow, additionalProperties: othersNow, ...ownNow } = now;
  return [
    ...changes(path.trimEnd(), own, ownNow, keywords),
    ...propertyChanges(path, before, (properties ?? {}) as Fields, (propertiesNow ?? {}) as Fields),
    ...partChanges(`${path}[]`, before, items, itemsNow),
    ...partChanges(`${path}.*`, before, additionalProperties, othersNow),
  ];
}

/** What stands for every entry. Where there was nothing before, entries had been dropped, or everything was allowed. */
function partChanges(path: string, parent: Fields, before: unknown, now: unknown): readonly string[] {
  if (isFields(before) && isFields(now)) return schemaChanges(path, before, now);
  if (isDeepStrictEqual(before, now) || (before === undefined && !isOpen(parent))) return [];
  return [`${path}: ${now === undefined ? 'is gone: its entries would be dropped' : changed(before, now)}`];
}

function propertyChanges(path: string, parent: Fields, before: Fields, now: Fields): readonly string[] {
  const wasOpen = isOpen(parent) || parent.additionalProperties !== undefined;
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name) => {
    const place = /\s$/.test(path) ? `${path}${name}` : `${path}.${name}`;
    const [old, current] = [before[name], now[name]];
    if (current === undefined) return [`${place}: the field is gone: stored values would be dropped`];
    if (old !== undefined) return schemaChanges(place, old as Fields, current as Fields);
    return wasOpen ? [`${place}: is new, where any field was allowed already`] : [];
  });
}

const isOpen = (schema: Fields): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
