/**
 * Config values of a KafkaTopic. A structural schema cannot say "text, number, boolean or a list of these", and CEL in a
 * CRD cannot see values of unknown type, so these rules are an admission policy at the API server (`cel`) and a function
 * here (`breaks`). Both are the same rule; a property test compares their verdicts.
 */
export type ConfigRule = {
  readonly name: string;
  /** what to do, for people; the key is put before it */
  readonly message: string;
  /** CEL over one entry: `k` the key, `v` its value, `variables.ignored` the ignoredConfigs */
  readonly cel: string;
  readonly breaks: (value: unknown, key: string, ignored: ReadonlySet<string>) => boolean;
};

export const maxConfigs = 100;
/** keys and values together, in characters */
export const maxConfigSize = 131_072;

// dyn: CEL wants all members of a list to be of one type, and each type is of its own
const numberTypes = '[dyn(int), dyn(double)]';
const scalarTypes = '[dyn(string), dyn(bool), dyn(int), dyn(double)]';
const safe = Number.MAX_SAFE_INTEGER;

export const configRules: readonly ConfigRule[] = [
  {
    name: 'nulls',
    message: 'null is not a value. To keep hands off this key name it in spec.ignoredConfigs, to reset it leave it out',
    cel: 'v == null',
    breaks: (value) => value === null,
  },
  {
    name: 'shapes',
    message: 'a value is text, a number, true, false, or a list of these',
    cel: `!(type(v) in ${scalarTypes} || (type(v) == list && v.all(i, type(i) in ${scalarTypes})))`,
    breaks: (value) => scalarsOf(value) === undefined,
  },
  {
    // JSON numbers are doubles to most readers: 9223372036854775807 would arrive as 9223372036854776000
    name: 'numbers',
    message: 'a number this large loses digits on its way; quote it',
    cel: `(type(v) == list ? v : [v]).exists(i, type(i) in ${numberTypes} && (i > ${safe} || i < -${safe}))`,
    breaks: (value) => scalarsOf(value)?.some((item) => typeof item === 'number' && Math.abs(item) > safe) ?? false,
  },
  {
    name: 'both',
    message: 'this key is in spec.config and in spec.ignoredConfigs; keep it in one of them',
    cel: 'k in variables.ignored',
    breaks: (_value, key, ignored) => ignored.has(key),
  },
];

/** The size limit, in CEL over `variables.config`; the same count as {@link configSize}. */
export const sizeRule = {
  message: `spec.config is larger than ${maxConfigSize} characters; keep configs short`,
  cel: [
    'variables.config.map(k, size(k) + (type(variables.config[k]) == string ? size(variables.config[k])',
    '  : type(variables.config[k]) == list ? variables.config[k].map(i, type(i) == string ? size(i) + 1 : 1).sum() : 1))',
    `.sum() <= ${maxConfigSize}`,
  ].join('\n'),
};

/** Characters of all keys and values; a number or boolean counts as one, a separator as one. */
export function configSize(config: Readonly<Record<string, unknown>>): number {
  const size = (value: unknown) => (typeof value === 'string' ? characters(value) : 1);
  return Object.entries(config).reduce((sum, [key, value]) => {
    const items = Array.isArray(value)
      ? value.reduce((all, item) => all + size(item) + (typeof item === 'string' ? 1 : 0), 0)
      : size(value);
    return sum + characters(key) + items;
  }, 0);
}

type Scalar = string | number | boolean;

/** A config value as Kafka takes it: lists joined by commas, numbers as plain digits. Call after the rules hold. */
export const configText = (value: unknown): string => (scalarsOf(value) ?? []).map(scalarText).join(',');

const isScalar = (value: unknown): value is Scalar => ['string', 'number', 'boolean'].includes(typeof value);

function scalarsOf(value: unknown): readonly Scalar[] | undefined {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.every(isScalar) ? items : undefined;
}

const scalarText = (value: Scalar): string => (typeof value === 'number' ? plainDigits(value) : String(value));

/** `1e-7` as `0.0000001`: Kafka's own parsers take exponents for some types only. Whole numbers are safe integers here. */
function plainDigits(value: number): string {
  const text = String(value);
  const [mantissa = '', exponent] = text.split('e-');
  if (exponent === undefined) return text;
  const sign = value < 0 ? '-' : '';
  return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${mantissa.replace(/[-.]/g, '')}`;
}

const characters = (text: string): number => [...text].length;
