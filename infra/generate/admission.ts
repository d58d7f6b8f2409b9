import { annotations, group, plural, version } from '../../functions/core/api.ts';
import { entries, limits } from './limits.ts';
import { validatingPolicy } from './validating-policy.ts';

/** Where a platform team keeps its limits: a namespace that tenants may not write to. */
export const limitsNamespace = 'topicsmith-system';
export const limitsLabel = { [`${group}/limits`]: 'true' };

export const admissionComment = `
Optional. Limits on what tenants may ask for, as ConfigMaps like those of admission-limits.yaml set them.

Apply the ConfigMaps first: without any, KafkaTopics can be read and deleted, and not created or edited, so that limits that
got lost do not go unnoticed ("no params found"). Objects that wait for their finalizer to go, wait as long.

To lift limits leave one ConfigMap without any, rather than deleting these policies: an API server that is left without any
policy that reads ConfigMaps does not follow them any more when one comes back, until it is restarted
(https://github.com/kubernetes/kubernetes/issues/130887, seen with 1.36.3).`;

/**
 * Limits of a platform team on what tenants may ask for: a policy that reads them from ConfigMaps, and one that refuses
 * ConfigMaps with a misspelled limit in them, which would limit nothing. V4 to V8 of reliability.md 6.2.
 *
 * It looks only at edits of the spec and at approvals, and of those only at what they make worse: objects stored before a
 * limit can be edited, improved and let go. The API server shows one refusal of a policy, so all breaches are put into one.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#parameter-resources
 */
export const admission = (): object[] => [
  ...validatingPolicy(`kafkatopic-limits.${group}`, limitTopics, {
    paramRef: {
      namespace: limitsNamespace,
      selector: { matchLabels: limitsLabel },
      parameterNotFoundAction: 'Deny',
    },
  }),
  ...validatingPolicy(`kafkatopic-limits-spelling.${group}`, checkSpelling),
];

const operations = ['CREATE', 'UPDATE'];
const approvals = (object: string): string => `${object}.metadata.?annotations[?"${annotations.approve}"]`;

const limitTopics = {
  paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
  matchConstraints: {
    resourceRules: [{ apiGroups: [group], apiVersions: [version], resources: [plural], operations }],
  },
  matchConditions: [
    {
      name: 'spec-edited-or-approved',
      expression: `oldObject == null || object.spec != oldObject.spec || ${approvals('object')} != ${approvals('oldObject')}`,
    },
    {
      name: 'for-this-namespace',
      expression: `${entries('params.?data[?"namespaces"].orValue("*")')}.exists(n, n in ["*", request.namespace])`,
    },
  ],
  variables: [
    { name: 'limits', expression: 'params.?data.orValue({})' },
    { name: 'old', expression: 'oldObject == null ? dyn({}) : dyn(oldObject.spec)' },
    { name: 'topic', expression: 'object.spec.?topicName.orValue(object.metadata.name)' },
    ...limits.flatMap(({ key, rule, sizes }) => [
      ...(sizes ? [sizes] : []),
      { name: key, expression: `${JSON.stringify(key)} in variables.limits && ${rule}` },
    ]),
    {
      name: 'problems',
      expression: `[${limits.map(({ key }) => `variables.${key}`).join(', ')}].filter(problem, problem != "")`,
    },
  ],
  validations: [
    {
      expression: 'size(variables.problems) == 0',
      messageExpression:
        'variables.problems.join("; ") + " (limits of namespace " + request.namespace + ": ConfigMap " + params.metadata.namespace + "/" + params.metadata.name + ")"',
      message: 'this is beyond the limits of the namespace',
    },
  ],
};

const keys = ['namespaces', ...limits.map(({ key }) => key)];
const numbers = limits.filter(({ isNumber }) => isNumber).map(({ key }) => key);

const checkSpelling = {
  matchConstraints: {
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': limitsNamespace } },
    objectSelector: { matchLabels: limitsLabel },
  },
  variables: [
    { name: 'limits', expression: 'object.?data.orValue({})' },
    { name: 'unknown', expression: `variables.limits.filter(k, !(k in ${JSON.stringify(keys)}))` },
    {
      name: 'misspelled',
      expression: `${JSON.stringify(numbers)}.filter(k, k in variables.limits && !variables.limits[k].matches("^[0-9]{1,18}$"))`,
    },
  ],
  validations: [
    {
      expression: 'size(variables.unknown) == 0',
      messageExpression: `"data." + variables.unknown[0] + " is no limit; there are ${keys.join(', ')}"`,
      message: 'data has a key that is no limit',
    },
    {
      expression: 'size(variables.misspelled) == 0',
      messageExpression:
        '"data." + variables.misspelled[0] + " is \\"" + variables.limits[variables.misspelled[0]] + "\\": it has to be a whole number"',
      message: 'a limit has to be a whole number',
    },
  ],
};
