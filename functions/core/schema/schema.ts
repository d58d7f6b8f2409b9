/**
 * The language the schema is written in: the part of OpenAPI v3 that a CRD may use, with its own keywords, plus `rules`.
 *
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export type Schema = {
  /** absent: any JSON value */
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly nullable?: true;
  readonly enum?: readonly string[];
  readonly format?: 'date-time' | 'int64';
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly maxProperties?: number;
  readonly rules?: readonly Rule[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
};

/** One rule, said twice: in CEL for the API server, in TypeScript for objects that were stored without it. */
export type Rule = {
  readonly rule: string;
  readonly message: string;
  /** `oldSelf` is an optional in CEL, so that the rule sees creations too */
  readonly optionalOldSelf?: true;
  /** the field to name in the error, where the rule stands above it */
  readonly fieldPath?: string;
  /** absent where the rule compares with the previous object, which only the API server has */
  readonly holds?: (self: unknown) => boolean;
};
