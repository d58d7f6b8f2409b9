import type { ConfigEntry, ConfigType } from './topic.ts';

/** Written by whoever moves replicas (kafka-reassign-partitions, Cruise Control): never ours to reset. */
export const throttleKeys: ReadonlySet<string> = new Set([
  'leader.replication.throttled.replicas',
  'follower.replication.throttled.replicas',
]);

/**
 * One spelling for all texts the broker takes as the same value of a type, so that equal values never look like drift.
 * A text that is not a value of the type comes back trimmed: it differs from every live value, and the broker says why.
 *
 * @see org.apache.kafka.common.config.ConfigDef#parseType for what the broker accepts and trims
 */
export function normalForm(type: ConfigType, text: string): string {
  const trimmed = text.trim();
  switch (type) {
    case 'boolean':
      return trimmed.toLowerCase();
    case 'int':
    case 'short':
    case 'long':
      return /^[+-]?\d+$/.test(trimmed) ? BigInt(trimmed.replace('+', '')).toString() : trimmed;
    case 'double':
      return trimmed !== '' && Number.isFinite(Number(trimmed)) ? String(Number(trimmed)) : trimmed;
    case 'list':
      return [...new Set(listItems(trimmed))].sort().join(',');
    case 'string':
    case 'class':
    case 'password':
      return trimmed;
  }
}

const listItems = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** Whether the live value is what is wanted, in whatever spelling. A withheld (sensitive) value equals nothing. */
export const sameValue = (entry: ConfigEntry, desired: string): boolean =>
  entry.value !== null && normalForm(entry.type, entry.value) === normalForm(entry.type, desired);

/** Whether a `cleanup.policy` compacts. */
export const compacts = (cleanupPolicy: string): boolean => listItems(cleanupPolicy).includes('compact');

/**
 * Whether going from one limit to another keeps less: `retention.ms` and `retention.bytes`, where −1 is "for ever".
 * Texts that are not numbers count as shorter: unknown is never harmless.
 */
export function shortens(before: string, after: string): boolean {
  const [from, to] = [limit(before), limit(after)];
  if (from === undefined || to === undefined) return true;
  return to < from;
}

const forEver = 1n << 64n;

function limit(text: string): bigint | undefined {
  const normal = normalForm('long', text);
  if (!/^-?\d+$/.test(normal)) return undefined;
  return normal.startsWith('-') ? forEver : BigInt(normal);
}
