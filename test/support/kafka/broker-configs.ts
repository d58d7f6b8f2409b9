/**
 * Topic configs as Kafka 4.1 knows them: default, accepted values, the spelling in which they are stored. Independent of
 * the core's own idea of equal values; `test/contract/topics.contract.ts` holds it against a real broker.
 */
import type { ConfigType } from '../../../functions/core/topic.ts';

type Check = (value: string) => string | undefined;
type Definition = {
  readonly type: ConfigType;
  readonly default: string;
  readonly check: Check;
  /** brokers have a config of their own behind it, so that DescribeConfigs shows what lies under an override */
  readonly hasSynonym: boolean;
};

const anything: Check = () => undefined;
const atLeast =
  (least: number): Check =>
  (value) =>
    Number(value) < least ? `Value must be at least ${least}` : undefined;
const between =
  (least: number, most: number): Check =>
  (value) =>
    atLeast(least)(value) ?? (Number(value) > most ? `Value must be no more than ${most}` : undefined);
const oneOf =
  (...allowed: string[]): Check =>
  (value) =>
    allowed.includes(value) ? undefined : `String must be one of: ${allowed.join(', ')}`;
const eachOf =
  (...allowed: string[]): Check =>
  (value) =>
    value === '' || value.split(',').every((item) => allowed.includes(item))
      ? undefined
      : `String must be one of: ${allowed.join(', ')}`;
const gzipLevel: Check = (value) =>
  value === '-1' || (Number(value) >= 1 && Number(value) <= 9)
    ? undefined
    : 'Value must be between 1 and 9 or equal to -1';
const replicas: Check = (value) =>
  value === '' || value === '*' || value.split(',').every((item) => /^\d+:\d+$/.test(item))
    ? undefined
    : "must be the literal '*' or a list of replicas";
const off: Check = (value) =>
  value === 'true' ? 'Tiered Storage functionality is disabled in the broker.' : undefined;

const longest = '9223372036854775807';
const own = (type: ConfigType, value: string, check: Check = anything): Definition => ({
  type,
  default: value,
  check,
  hasSynonym: false,
});
const shared = (type: ConfigType, value: string, check: Check = anything): Definition => ({
  type,
  default: value,
  check,
  hasSynonym: true,
});

export const definitions: ReadonlyMap<string, Definition> = new Map([
  ['cleanup.policy', shared('list', 'delete', eachOf('compact', 'delete'))],
  ['compression.gzip.level', shared('int', '-1', gzipLevel)],
  ['compression.lz4.level', shared('int', '9', between(1, 17))],
  [
    'compression.type',
    shared('string', 'producer', oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer')),
  ],
  ['compression.zstd.level', shared('int', '3', between(-131_072, 22))],
  ['delete.retention.ms', shared('long', '86400000', atLeast(0))],
  ['file.delete.delay.ms', shared('long', '60000', atLeast(0))],
  ['flush.messages', shared('long', longest, atLeast(1))],
  ['flush.ms', own('long', longest, atLeast(0))],
  ['follower.replication.throttled.replicas', own('list', '', replicas)],
  ['index.interval.bytes', shared('int', '4096', atLeast(0))],
  ['leader.replication.throttled.replicas', own('list', '', replicas)],
  ['local.retention.bytes', shared('long', '-2', atLeast(-2))],
  ['local.retention.ms', shared('long', '-2', atLeast(-2))],
  ['max.compaction.lag.ms', shared('long', longest, atLeast(1))],
  ['max.message.bytes', shared('int', '1048588', atLeast(0))],
  ['message.timestamp.after.max.ms', shared('long', '3600000', atLeast(0))],
  ['message.timestamp.before.max.ms', shared('long', longest, atLeast(0))],
  ['message.timestamp.type', shared('string', 'CreateTime', oneOf('CreateTime', 'LogAppendTime'))],
  ['min.cleanable.dirty.ratio', shared('double', '0.5', between(0, 1))],
  ['min.compaction.lag.ms', shared('long', '0', atLeast(0))],
  ['min.insync.replicas', shared('int', '1', atLeast(1))],
  ['preallocate', shared('boolean', 'false')],
  ['remote.log.copy.disable', own('boolean', 'false')],
  ['remote.log.delete.on.disable', own('boolean', 'false')],
  ['remote.storage.enable', own('boolean', 'false', off)],
  ['retention.bytes', shared('long', '-1')],
  ['retention.ms', own('long', '604800000', atLeast(-1))],
  ['segment.bytes', shared('int', '1073741824', atLeast(1_048_576))],
  ['segment.index.bytes', shared('int', '10485760', atLeast(4))],
  ['segment.jitter.ms', own('long', '0', atLeast(0))],
  ['segment.ms', own('long', '604800000', atLeast(1))],
  ['unclean.leader.election.enable', shared('boolean', 'false')],
]);

/**
 * A value as the broker stores it.
 *
 * @throws Error with the broker's complaint
 */
export function stored(key: string, text: string): string {
  const definition = definitions.get(key);
  if (definition === undefined) throw new Error(`Unknown topic config name: ${key}`);
  const value = parse(definition.type, text.trim());
  const complaint =
    value === undefined ? `Not a value of type ${definition.type.toUpperCase()}` : definition.check(value);
  if (value === undefined || complaint) throw new Error(`Invalid value ${text} for configuration ${key}: ${complaint}`);
  return value;
}

function parse(type: ConfigType, text: string): string | undefined {
  switch (type) {
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() : undefined;
    case 'int':
      return integer(text, 31n);
    case 'short':
      return integer(text, 15n);
    case 'long':
      return integer(text, 63n);
    case 'double':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? javaDouble(Number(text)) : undefined;
    case 'list':
      return text === '' ? '' : text.split(/\s*,\s*/).join(',');
    default:
      return text;
  }
}

function integer(text: string, bits: bigint): string | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  return value >= -(1n << bits) && value < 1n << bits ? value.toString() : undefined;
}

/** The text of `Double.toString`: always a fraction, an exponent below 0.001 and from ten million on. */
function javaDouble(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
  }
  return Number.isInteger(value) ? `${value}.0` : `${value}`;
}
