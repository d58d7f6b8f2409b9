import { finalizer, group, plural, version } from '../../functions/core/api.ts';

const name = `kafkatopic-finalizer.${group}`;
/** CEL for what `core/deletion.ts` calls holding a topic. */
const holds = (object: string): string =>
  `${object}.spec.?deletionPolicy.orValue("") == "Delete" && !(${object}.spec.?mode.orValue("") in ["Observe", "Paused"])`;

export const finalizerComment = `
Optional, for Kubernetes 1.36 or newer. Objects with deletionPolicy Delete get their finalizer in the request that
creates them, which saves Topicsmith a request. Without this it adds the finalizer itself.

Where Topicsmith is for some objects only, say so here too, or others get a finalizer that nobody takes away:
WATCH_LABEL_SELECTOR as spec.matchConstraints.objectSelector, WATCH_NAMESPACES as spec.matchConstraints.namespaceSelector,
for example

  objectSelector: {matchLabels: {team: a}}
  namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [team-a, team-b]}]}

Remove it before Topicsmith.`;

/**
 * Adds the finalizer in the request that creates an object with `deletionPolicy: Delete` or switches to it, which saves
 * the function a request of its own.
 *
 * Only then: what the function takes away again (by `Retain`, by `Observe`, from an object that is let go) never comes
 * back by this. Without the policy, or while it fails, the function adds the finalizer as always.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
export const finalizerPolicy = (): object[] => [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        resourceRules: [
          { apiGroups: [group], apiVersions: [version], resources: [plural], operations: ['CREATE', 'UPDATE'] },
        ],
        namespaceSelector: {},
        objectSelector: {},
      },
      matchConditions: [
        { name: 'not-being-deleted', expression: '!has(object.metadata.deletionTimestamp)' },
        { name: 'deletes-its-topic', expression: holds('object') },
        { name: 'did-not-before', expression: `oldObject == null || !(${holds('oldObject')})` },
      ],
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: `Object{metadata: Object.metadata{finalizers: ["${finalizer}"]}}` },
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name },
  },
];
