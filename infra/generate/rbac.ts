import { group, plural } from '../../functions/core/api.ts';

type Grant = { apiGroups: string[]; resources: string[]; verbs: string[] };

const topics = (...verbs: string[]): Grant => ({ apiGroups: [group], resources: [plural], verbs });

/** Who may do what, and nothing more. No identity of ours may create or delete a KafkaTopic, or read a Secret. */
export const grants: Record<string, Grant[]> = {
  forwarder: [topics('get', 'list', 'watch')],
  resync: [topics('get', 'list')],
  reconciler: [
    topics('get', 'list', 'patch'),
    { apiGroups: [group], resources: [`${plural}/status`], verbs: ['patch'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create'] },
  ],
  tenant: [
    topics('get', 'list', 'watch', 'create', 'update', 'patch', 'delete'),
    // kubectl reads Events by their older group
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['get', 'list', 'watch'] },
  ],
};

/**
 * What the roles that every cluster has, `view`, `edit` and `admin`, get for KafkaTopics in the namespaces where somebody
 * has them. Events they may read anyway.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
 */
export const aggregated: Record<string, { to: string[]; rules: Grant[] }> = {
  view: { to: ['view', 'edit', 'admin'], rules: [topics('get', 'list', 'watch')] },
  edit: { to: ['edit', 'admin'], rules: [topics('create', 'update', 'patch', 'delete')] },
};

const rbacGroup = 'rbac.authorization.k8s.io';
const nameOf = (who: string): string => `topicsmith-${who}`;

/**
 * Cluster roles, bound to the groups `topicsmith:<who>`. Tenants get theirs in one namespace: repeat that RoleBinding
 * for each namespace of theirs.
 */
export const rbac = (): object[] => [
  ...Object.entries(grants).map(([who, rules]) => ({
    apiVersion: `${rbacGroup}/v1`,
    kind: 'ClusterRole',
    metadata: { name: nameOf(who) },
    rules,
  })),
  ...['forwarder', 'resync', 'reconciler'].map((who) => binding('ClusterRoleBinding', who, {})),
  binding('RoleBinding', 'tenant', { namespace: 'default' }),
];

const binding = (kind: string, who: string, where: { namespace?: string }): object => ({
  apiVersion: `${rbacGroup}/v1`,
  kind,
  metadata: { name: nameOf(who), ...where },
  roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: nameOf(who) },
  subjects: [{ apiGroup: rbacGroup, kind: 'Group', name: `topicsmith:${who}` }],
});
