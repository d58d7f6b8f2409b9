import { group, kind, plural, shortName, singular, version } from '../../functions/core/api.ts';
import { columns, kafkaTopicSchema } from '../../functions/core/schema/kafkatopic.ts';
import type { Rule, Schema } from '../../functions/core/schema/schema.ts';

/** The CustomResourceDefinition, as plain data. Category `kafka`: `kubectl get kafka` lists it; `all` is for workloads. */
export const crd = () => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: ['kafka'] },
    scope: 'Namespaced',
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        selectableFields: [{ jsonPath: '.spec.topicName' }],
        additionalPrinterColumns: columns,
        schema: { openAPIV3Schema: structural(kafkaTopicSchema) },
      },
    ],
  },
});

/** Our schema in the CRD's own words: `rules` become `x-kubernetes-validations`. */
function structural({
  rules,
  items,
  properties,
  additionalProperties,
  ...rest
}: Schema): Readonly<Record<string, unknown>> {
  return {
    ...rest,
    ...(items && { items: structural(items) }),
    ...(properties && { properties: mapValues(properties, structural) }),
    ...(additionalProperties && { additionalProperties: structural(additionalProperties) }),
    ...(rules && { 'x-kubernetes-validations': rules.map(cel) }),
  };
}

const cel = ({ rule, message, optionalOldSelf, fieldPath }: Rule): object => ({
  rule,
  message,
  ...(optionalOldSelf && { optionalOldSelf }),
  ...(fieldPath && { fieldPath }),
});

const mapValues = <T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
