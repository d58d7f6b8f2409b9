import { finalizer, group, plural } from '../../functions/core/api.ts';
import { guardPolicy } from './guard.ts';
import { validatingPolicy } from './validating-policy.ts';

/** Who may write a status beside the reconciler, in an emergency. Kubernetes' own such group is `system:masters`. */
const breakGlass = 'topicsmith:break-glass';

export const guardsComment = `
Recommended; needs no settings. Roles cannot limit single fields, these policies do, so that stolen or wrongly widened
rights of Topicsmith's own identities are worth little: the reconciler changes nothing of an object but our finalizer,
forwarder and resync write nothing, a status comes from the reconciler (in an emergency from members of
the groups ${breakGlass} and system:masters). And the definition of KafkaTopics cannot be deleted unasked.

Identities are known by their group (topicsmith:reconciler, …) or, in the cluster, by the name of their service account in
any namespace (topicsmith-reconciler, eu-topicsmith-reconciler, …).`;

/** CEL: whether one of the identities asks, by group or by service account. */
const isOneOf = (...identities: readonly string[]): string => {
  const groups = JSON.stringify(identities.map((identity) => `topicsmith:${identity}`));
  const account = `^system:serviceaccount:[^:]+:[^:]*topicsmith[^:]*-(${identities.join('|')})$`;
  return `request.userInfo.?groups.orValue([]).exists(g, g in ${groups}) || request.userInfo.?username.orValue("").matches("${account}")`;
};

/** Forbidden, as RBAC says it: nothing in the object is wrong. */
const forbid = (expression: string, message: string): object => ({ expression, message, reason: 'Forbidden' });

const rule = (resource: string, ...operations: readonly string[]): object => ({
  resourceRules: [{ apiGroups: [group], apiVersions: ['*'], resources: [resource], operations }],
});

const same = (field: string): string => `object.${field} == oldObject.${field}`;
const finalizersOfOthers = (object: string): string =>
  `${object}.metadata.?finalizers.orValue([]).filter(f, f != "${finalizer}")`;

const onlyFinalizer = {
  matchConstraints: rule(plural, 'CREATE', 'UPDATE', 'DELETE'),
  matchConditions: [{ name: 'by-the-reconciler', expression: isOneOf('reconciler') }],
  validations: [
    forbid('object != null && oldObject != null', 'the reconciler creates and deletes no objects'),
    ...['?spec', 'metadata.?labels', 'metadata.?annotations', 'metadata.?ownerReferences'].map((field) =>
      forbid(
        `object == null || oldObject == null || ${same(field)}`,
        `the reconciler does not change ${field.replace('?', '')}`,
      ),
    ),
    forbid(
      `object == null || oldObject == null || ${finalizersOfOthers('object')} == ${finalizersOfOthers('oldObject')}`,
      `the reconciler changes no finalizer but ${finalizer}`,
    ),
  ],
};

/** Asks who it is in a condition: for those who may, at each status write, there is nothing to validate. */
const statusByReconciler = {
  matchConstraints: rule(`${plural}/status`, 'UPDATE'),
  matchConditions: [
    {
      name: 'by-somebody-else',
      expression: `!(${isOneOf('reconciler')} || request.userInfo.?groups.orValue([]).exists(g, g in ["${breakGlass}", "system:masters"]))`,
    },
  ],
  validations: [
    forbid('false', `a status is written by the reconciler, in an emergency by members of the group ${breakGlass}`),
  ],
};

const readersOnlyRead = {
  matchConstraints: {
    resourceRules: [{ apiGroups: [group], apiVersions: ['*'], resources: ['*/*'], operations: ['*'] }],
  },
  matchConditions: [{ name: 'by-a-reader', expression: isOneOf('forwarder', 'resync') }],
  validations: [forbid('false', 'forwarder and resync only read')],
};

/**
 * What keeps each identity to its task where RBAC cannot (fields), and where somebody has given it more than
 * `infra/rbac.yaml` does; V1 to V3 of reliability.md 6.2, and the guard of the definition (K085).
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
export const guards = (): object[] => [
  ...guardPolicy(),
  ...validatingPolicy(`kafkatopic-reconciler.${group}`, onlyFinalizer),
  ...validatingPolicy(`kafkatopic-status.${group}`, statusByReconciler),
  ...validatingPolicy(`kafkatopic-readers.${group}`, readersOnlyRead),
];
