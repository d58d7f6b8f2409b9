/** Changes of the definition, one of each kind: what is said of it, and an object that tells the difference. */
import { crd } from '../../infra/generate/crd.ts';

// biome-ignore lint/suspicious/noExplicitAny: a definition is edited by its paths
export type Editable = any;

export type Change = {
  readonly reason: string;
  readonly edit: (definition: Editable) => void;
  /** what is said of it; none: harmless */
  readonly says: readonly string[];
  /** a spec that the released definition takes as it is, and the changed one does not, or not as it is */
  readonly witness?: object;
};

const version = (definition: Editable): Editable => definition.spec.versions[0];
const schema = (definition: Editable): Editable => version(definition).schema.openAPIV3Schema;
const spec = (definition: Editable): Editable => schema(definition).properties.spec;
const status = (definition: Editable): Editable => schema(definition).properties.status;
const column = (definition: Editable, name: string): Editable =>
  version(definition).additionalPrinterColumns.find((one: Editable) => one.name === name);

const inSpec = (edit: (properties: Editable, spec: Editable) => void) => (definition: Editable) =>
  edit(spec(definition).properties, spec(definition));
const inStatus = (edit: (properties: Editable, status: Editable) => void) => (definition: Editable) =>
  edit(status(definition).properties, status(definition));

/** A copy of the present definition, edited. */
export function edited(edit: Change['edit'], from: Editable = crd()): Editable {
  const copy = structuredClone(from);
  edit(copy);
  return copy;
}

const fields: readonly Change[] = [
  {
    reason: 'a field that is gone would be dropped from what is stored',
    edit: inSpec((properties) => delete properties.numPartitions),
    says: ['v1alpha1 spec.numPartitions: the field is gone: stored values would be dropped'],
    witness: { numPartitions: 3 },
  },
  {
    reason: 'a field that has another name is gone under the one that is stored',
    edit: inSpec((properties) => {
      properties.partitions = properties.numPartitions;
      delete properties.numPartitions;
    }),
    says: ['v1alpha1 spec.numPartitions: the field is gone: stored values would be dropped'],
    witness: { numPartitions: 3 },
  },
  {
    reason: 'a field of the status has readers too',
    edit: inStatus((properties) => delete properties.topicId),
    says: ['v1alpha1 status.topicId: the field is gone: stored values would be dropped'],
  },
  {
    reason: 'a field deep in a list is one like any other',
    edit: inStatus((properties) => delete properties.plan.properties.actions.items.properties.from),
    says: ['v1alpha1 status.plan.actions[].from: the field is gone: stored values would be dropped'],
  },
  {
    reason: 'a value of the old type is none of the new one',
    edit: inSpec(({ mode }) => {
      mode.type = 'boolean';
      delete mode.enum;
      delete mode.default;
    }),
    says: [
      'v1alpha1 spec.mode: type was "string" and is "boolean"',
      'v1alpha1 spec.mode: default was "Enforce" and is absent',
    ],
    witness: { mode: 'Plan' },
  },
  {
    reason: 'entries of a map have a type too',
    edit: inStatus(({ config }) => {
      config.additionalProperties.type = 'integer';
    }),
    says: ['v1alpha1 status.config.*: type was "string" and is "integer"'],
  },
  {
    reason: 'entries of any kind were allowed',
    edit: inSpec(({ config }) => {
      config.additionalProperties = { type: 'string' };
    }),
    says: [
      'v1alpha1 spec.config.*: nullable was true and is absent',
      'v1alpha1 spec.config.*: x-kubernetes-preserve-unknown-fields was true and is absent',
      'v1alpha1 spec.config.*: type was absent and is "string"',
    ],
    witness: { config: { 'segment.ms': 3600000 } },
  },
  {
    reason: 'a map without entries drops them',
    edit: inSpec(({ config }) => delete config.additionalProperties),
    says: ['v1alpha1 spec.config.*: is gone: its entries would be dropped'],
    witness: { config: { 'segment.ms': 3600000 } },
  },
  {
    reason: 'a new field is unknown to what is stored',
    edit: inSpec((properties) => {
      properties.owner = { type: 'string', maxLength: 5, default: 'me', enum: ['me', 'you'] };
    }),
    says: [],
  },
  {
    reason: 'but not where any field was allowed',
    edit: inSpec(({ config }) => {
      config.additionalProperties.properties = { a: { type: 'string' } };
    }),
    says: ['v1alpha1 spec.config.*.a: is new, where any field was allowed already'],
  },
  {
    reason: 'descriptions may say more',
    edit: inSpec(({ mode }) => {
      mode.description = 'other words';
    }),
    says: [],
  },
];

const values: readonly Change[] = [
  {
    reason: 'what was left out is missing now',
    edit: inSpec((_, spec) => {
      spec.required = ['numPartitions'];
      delete spec.default; // which would not have it
    }),
    says: ['v1alpha1 spec: default was {} and is absent', 'v1alpha1 spec: required has "numPartitions" too'],
    witness: {},
  },
  {
    reason: 'in the status too',
    edit: inStatus(({ plan }) => plan.required.push('omitted')),
    says: ['v1alpha1 status.plan: required has "omitted" too'],
  },
  {
    reason: 'a field may become optional',
    edit: inStatus(({ plan }) => {
      plan.required = plan.required.filter((name: string) => name !== 'refusals');
    }),
    says: [],
  },
  {
    reason: 'a word that is taken away is in manifests',
    edit: inSpec(({ mode }) => {
      mode.enum = ['Enforce', 'Observe', 'Paused'];
    }),
    says: ['v1alpha1 spec.mode: enum lacks "Plan"'],
    witness: { mode: 'Plan' },
  },
  {
    reason: 'a word more, in another order',
    edit: inSpec(({ mode }) => mode.enum.unshift('Dream')),
    says: [],
  },
  {
    reason: 'any word may be allowed',
    edit: inStatus(({ origin }) => delete origin.enum),
    says: [],
  },
  {
    reason: 'where any word was allowed, a few are less',
    edit: inStatus(({ clusterId }) => {
      clusterId.enum = ['one'];
    }),
    says: ['v1alpha1 status.clusterId: enum was absent and is ["one"]'],
  },
  {
    reason: 'what was small enough is too large',
    edit: inSpec(({ numPartitions }) => {
      numPartitions.maximum = 10;
    }),
    says: ['v1alpha1 spec.numPartitions: maximum was 100000 and is 10'],
    witness: { numPartitions: 11 },
  },
  {
    reason: 'what was large enough is too small',
    edit: inSpec(({ replicationFactor }) => {
      replicationFactor.minimum = 2;
    }),
    says: ['v1alpha1 spec.replicationFactor: minimum was 1 and is 2'],
    witness: { replicationFactor: 1 },
  },
  {
    reason: 'what had no limit has one',
    edit: inStatus(({ topicId }) => {
      topicId.maxLength = 22;
    }),
    says: ['v1alpha1 status.topicId: maxLength was absent and is 22'],
  },
  {
    reason: 'limits may be wider, or go',
    edit: inSpec(({ numPartitions, replicationFactor, topicName }) => {
      numPartitions.maximum = 200_000;
      replicationFactor.minimum = 0;
      delete replicationFactor.maximum;
      topicName.maxLength = 250;
    }),
    says: [],
  },
  {
    reason: 'fewer entries fit into a map',
    edit: inSpec(({ config }) => {
      config.maxProperties = 1;
    }),
    says: ['v1alpha1 spec.config: maxProperties was 100 and is 1'],
    witness: { config: { a: 1, b: 2 } },
  },
  {
    reason: 'fewer entries fit into a list, and each has to be longer',
    edit: inSpec(({ ignoredConfigs }) => {
      ignoredConfigs.maxItems = 1;
      ignoredConfigs.items.minLength = 2;
      ignoredConfigs.items.maxLength = 100;
    }),
    says: [
      'v1alpha1 spec.ignoredConfigs: maxItems was 100 and is 1',
      'v1alpha1 spec.ignoredConfigs[]: minLength was 1 and is 2',
      'v1alpha1 spec.ignoredConfigs[]: maxLength was 255 and is 100',
    ],
    witness: { ignoredConfigs: ['a', 'b'] },
  },
  {
    reason: 'entries were not needed',
    edit: inSpec(({ ignoredConfigs, config }) => {
      ignoredConfigs.minItems = 1;
      config.minProperties = 1;
    }),
    says: [
      'v1alpha1 spec.config: minProperties was absent and is 1',
      'v1alpha1 spec.ignoredConfigs: minItems was absent and is 1',
    ],
    witness: { ignoredConfigs: [] },
  },
  {
    reason: 'a text that matched may not match another pattern: nobody can tell',
    edit: inStatus(({ conditions }) => {
      conditions.items.properties.reason.pattern = '^[A-Z][a-z]*$';
    }),
    says: [
      'v1alpha1 status.conditions[].reason: pattern was "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$" and is "^[A-Z][a-z]*$"',
    ],
  },
  {
    reason: 'texts of any form were allowed',
    edit: inSpec(({ ignoredConfigs }) => {
      ignoredConfigs.items.pattern = '^[a-z]+$';
    }),
    says: ['v1alpha1 spec.ignoredConfigs[]: pattern was absent and is "^[a-z]+$"'],
    witness: { ignoredConfigs: ['segment.ms'] },
  },
  {
    reason: 'a pattern or a format may go',
    edit: inStatus(({ conditions }) => {
      delete conditions.items.properties.reason.pattern;
      delete conditions.items.properties.lastTransitionTime.format;
    }),
    says: [],
  },
  {
    reason: 'who left it out means something else from now on',
    edit: inSpec(({ deletionPolicy }) => {
      deletionPolicy.default = 'Delete';
    }),
    says: ['v1alpha1 spec.deletionPolicy: default was "Retain" and is "Delete"'],
  },
  {
    reason: 'appliers own entries, or the whole list',
    edit: inSpec(({ ignoredConfigs }) => {
      ignoredConfigs['x-kubernetes-list-type'] = 'atomic';
    }),
    says: ['v1alpha1 spec.ignoredConfigs: x-kubernetes-list-type was "set" and is "atomic"'],
  },
  {
    reason: 'a keyword that nobody has thought of is not harmless',
    edit: inSpec(({ numPartitions }) => {
      numPartitions.multipleOf = 2;
    }),
    says: ['v1alpha1 spec.numPartitions: multipleOf was absent and is 2'],
    witness: { numPartitions: 3 },
  },
];

const rules: readonly Change[] = [
  {
    reason: 'a new rule may refuse what was accepted',
    edit: inSpec((_, spec) => {
      spec['x-kubernetes-validations'] = [{ rule: '!has(self.numPartitions) || self.numPartitions > 1', message: 'm' }];
    }),
    says: ['v1alpha1 spec: x-kubernetes-validations has "!has(self.numPartitions) || self.numPartitions > 1" too'],
    witness: { numPartitions: 1 },
  },
  {
    reason: 'so may a rule that says something else',
    edit: inSpec(({ topicName }) => {
      topicName['x-kubernetes-validations'][0].rule = "self.startsWith('a')";
    }),
    says: [`v1alpha1 spec.topicName: x-kubernetes-validations has "self.startsWith('a')" too`],
    witness: { topicName: 'orders' },
  },
  {
    reason: 'so may one that looks at creations from now on',
    edit: (definition) => {
      schema(definition)['x-kubernetes-validations'][2].optionalOldSelf = true;
    },
    says: [
      'v1alpha1: x-kubernetes-validations has "has(oldSelf.spec.topicName) || !has(self.spec.topicName) || self.spec.topicName == self.metadata.name (creations too)" too',
    ],
  },
  {
    reason: 'a rule may go, or say it better',
    edit: (definition) => {
      schema(definition)['x-kubernetes-validations'].pop();
      spec(definition).properties.topicName['x-kubernetes-validations'][0].message = 'other words';
    },
    says: [],
  },
];

const callings: readonly Change[] = [
  {
    reason: 'scripts read columns by their names',
    edit: (definition) => version(definition).additionalPrinterColumns.shift(),
    says: ['v1alpha1: column Topic is gone'],
  },
  {
    reason: 'and take them for what they were',
    edit: (definition) => {
      column(definition, 'Ready').jsonPath = '.status.origin';
      column(definition, 'Reason').priority = 1;
    },
    says: [
      `v1alpha1: column Ready: jsonPath was ".status.conditions[?(@.type==\\"Ready\\")].status" and is ".status.origin"`,
      'v1alpha1: column Reason: priority was absent and is 1',
    ],
  },
  {
    reason: 'a column more',
    edit: (definition) =>
      version(definition).additionalPrinterColumns.unshift({
        name: 'Origin',
        type: 'string',
        jsonPath: '.status.origin',
      }),
    says: [],
  },
  {
    reason: 'claimants are found by this field',
    edit: (definition) => {
      version(definition).selectableFields = [{ jsonPath: '.spec.mode' }];
    },
    says: ['v1alpha1: selectableFields lacks {"jsonPath":".spec.topicName"}'],
  },
  {
    reason: 'people type the short name',
    edit: (definition) => {
      definition.spec.names.shortNames = ['topic'];
      definition.spec.names.categories = ['kafka', 'all'];
    },
    says: ['names: shortNames lacks "kt"'],
  },
  {
    reason: 'a short name more',
    edit: (definition) => definition.spec.names.shortNames.push('topic'),
    says: [],
  },
  {
    reason: 'objects of another plural, kind or group are other objects',
    edit: (definition) => {
      definition.spec.group = 'kafka.example.com';
      definition.spec.names.plural = 'topics';
      definition.spec.names.kind = 'Topic';
    },
    says: [
      'definition: group was "cache.example.com" and is "kafka.example.com"',
      'names: kind was "KafkaTopic" and is "Topic"',
      'names: plural was "kafkatopics" and is "topics"',
    ],
  },
  {
    reason: 'objects are in namespaces',
    edit: (definition) => {
      definition.spec.scope = 'Cluster';
    },
    says: ['definition: scope was "Namespaced" and is "Cluster"'],
  },
  {
    reason: 'a version that is gone takes its manifests with it',
    edit: (definition) => {
      version(definition).name = 'v1beta1';
    },
    says: ['v1alpha1: the version is gone'],
  },
  {
    reason: 'a version that is not served is gone for everybody, and one that is not stored needs a migration',
    edit: (definition) => {
      Object.assign(version(definition), { served: false, storage: false });
    },
    says: ['v1alpha1: served was true and is false', 'v1alpha1: storage was true and is false'],
  },
  {
    reason: 'without the subresource every writer of specs writes statuses',
    edit: (definition) => delete version(definition).subresources,
    says: ['v1alpha1: subresources was {"status":{}} and is absent'],
  },
  {
    reason: 'a version more, and a word that the old one will go',
    edit: (definition) => {
      definition.spec.versions.push({ ...structuredClone(version(definition)), name: 'v1beta1', storage: false });
      version(definition).deprecated = true;
      version(definition).deprecationWarning = 'use v1beta1';
    },
    says: [],
  },
];

export const allChanges: readonly Change[] = [...fields, ...values, ...rules, ...callings];
