import { annotations } from '../../functions/core/api.ts';

/** A key of a ConfigMap, and its rule: CEL for a sentence that says what is wrong, or "" where nothing is. */
type Limit = {
  readonly key: string;
  readonly meaning: string;
  /** the sentence as the reference shows it; in CEL capitals stand for what is put in */
  readonly message: string;
  readonly rule: string;
  readonly isNumber?: true;
  /** CEL for what `rule` compares, as a variable of its own */
  readonly sizes?: { readonly name: string; readonly expression: string };
};

/** CEL, typed: what comes out of a ConfigMap has no type. */
const limit = (key: string): string => `string(variables.limits.${key})`;
/** CEL: the parts of a comma list. */
export const entries = (text: string): string => `${text}.split(",").map(entry, entry.trim())`;

/** CEL: `message` if `breach`, with its words in capitals replaced by CEL. */
function sentence(breach: string, message: string, values: Readonly<Record<string, string>>): string {
  const parts = message.split(/([A-Z]{4,})/).filter((part) => part !== '');
  return `${breach} ? ${parts.map((part) => values[part] ?? JSON.stringify(part)).join(' + ')} : ""`;
}

/** Of names only creations are judged: they never change, and an object from before a limit can still be edited. */
function topicNames(key: string, meaning: string, message: string, breaksIfListed: boolean): Limit {
  const names = `${limit(key)}.replace("{namespace}", request.namespace)`;
  const listed = `${entries(names)}.exists(p, p.endsWith("*") ? variables.topic.startsWith(p.substring(0, size(p) - 1)) : variables.topic == p)`;
  const rule = sentence(`oldObject == null && ${breaksIfListed ? '' : '!'}${listed}`, message, {
    NAME: 'variables.topic',
    LIMIT: names,
  });
  return { key, meaning, message, rule };
}

type Size = { readonly field: string; readonly sizes: NonNullable<Limit['sizes']>; readonly asked: string };

/** What is above a ceiling already may stay or come down. */
function ceiling(key: string, meaning: string, { field, sizes, asked }: Size): Limit {
  const [now, before] = [0, 1].map((index) => `variables.${sizes.name}[${index}]`);
  const message = `${field} is VALUE: at most LIMIT is allowed`;
  const rule = sentence(`${now} > [int(${limit(key)}), ${before}].max()`, message, { VALUE: asked, LIMIT: limit(key) });
  return { key, meaning: `${meaning} Leaving the field out is no breach.`, message, rule, isNumber: true, sizes };
}

/** CEL: the values now and before, 0 where there is none; `dyn`, or else the others would be taken for integers too. */
const values = (path: string): string => `[object.spec, variables.old].map(s, s.${path}.orValue(dyn(0)))`;

const count = (field: string): Size => ({
  field: `spec.${field}`,
  sizes: { name: field, expression: `${values(`?${field}`)}.map(v, int(v))` },
  asked: `string(variables.${field}[0])`,
});

/** The largest integer of CEL. */
const endless = '9223372036854775807';

/**
 * Kafka reads numbers more freely than CEL does, other scripts' digits included; what is not plain digits here, a
 * negative number for one, counts as endless.
 */
const plainDigits = '(type(v) == int || type(v) == string) && string(v).matches("^\\\\s*[+]?[0-9]{1,18}\\\\s*$")';

function configNumber(name: string, configKey: string): Size {
  const path = `?config[?"${configKey}"]`;
  return {
    field: `spec.config.${configKey}`,
    sizes: {
      name,
      expression: `${values(path)}.map(v, ${plainDigits} ? int(string(v).trim()) : ${endless})`,
    },
    asked: `[object.spec.${path}.orValue(dyn(0))].map(v, type(v) == int || type(v) == string ? string(v) : "no whole number")[0]`,
  };
}

/** @param does CEL for what only members of the groups may do */
function groups(key: string, meaning: string, message: string, does: string): Limit {
  const isMember = `${entries(limit(key))}.exists(g, g in request.userInfo.?groups.orValue([]))`;
  const named = `(${limit(key)} == "" ? "nobody" : ${limit(key)})`;
  return { key, meaning, message, rule: sentence(`${does} && !${isMember}`, message, { LIMIT: named }) };
}

const setsDelete =
  'object.spec.?deletionPolicy.orValue("") == "Delete" && variables.old.?deletionPolicy.orValue("") != "Delete"';

const approval = (object: string): string => `${object}.metadata.?annotations[?"${annotations.approve}"].orValue("")`;
/** Taking an approval back is nobody's privilege. */
const approves = `!(${approval('object')} in ["", oldObject == null ? "" : ${approval('oldObject')}])`;

/** Every limit, in the order in which breaches are listed. */
export const limits: readonly Limit[] = [
  topicNames(
    'allowedTopics',
    'Topic names that may be used, separated by commas. An entry that ends with `*` is a prefix; `{namespace}` stands for the namespace.',
    'topic name NAME is not allowed: it has to be one of LIMIT',
    false,
  ),
  topicNames(
    'reservedTopics',
    'Topic names that may not be used, written in the same way. They outrank `allowedTopics`.',
    'topic name NAME is reserved: no topic may be one of LIMIT',
    true,
  ),
  ceiling('maxPartitions', 'Most partitions of a topic.', count('numPartitions')),
  ceiling('maxReplicationFactor', 'Most replicas of a partition.', count('replicationFactor')),
  ceiling(
    'maxRetentionMs',
    'Longest `retention.ms`; -1, for ever, is longer than any.',
    configNumber('retentionMs', 'retention.ms'),
  ),
  ceiling(
    'maxRetentionBytes',
    'Largest `retention.bytes`, which is per partition; -1, without end, is larger than any.',
    configNumber('retentionBytes', 'retention.bytes'),
  ),
  groups(
    'deleteGroups',
    'Groups, separated by commas, whose members may set `deletionPolicy: Delete`; empty: nobody.',
    'spec.deletionPolicy may be set to Delete by these groups only: LIMIT',
    setsDelete,
  ),
  groups(
    'approveGroups',
    'Groups, separated by commas, whose members may approve what is held back; a Git controller may be in one. Empty: nobody.',
    `annotation ${annotations.approve} may be set by these groups only: LIMIT`,
    approves,
  ),
];
