/**
 * How KafkaTopic is called. The only place: CRD, policies, roles and code take it from here, so a company that wants
 * its own domain changes `group` and runs `npm run generate`.
 */
export const group = 'cache.example.com';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;
export const kind = 'KafkaTopic';
export const plural = 'kafkatopics';
export const singular = 'kafkatopic';
export const shortName = 'kt';

/** The first version of Kubernetes that serves the definition: older ones know no selectable fields. */
export const oldestKubernetes = '1.31';

/** Holds an object with `deletionPolicy: Delete` until its topic is gone. */
export const finalizer = `${group}/topic`;

export const annotations = {
  /** any new value asks for a full look now */
  reconcileRequestedAt: `${group}/reconcile-requested-at`,
  /** releases exactly the held plan with this hash */
  approve: `${group}/approve`,
} as const;

/** Owner of our fields in `metadata.managedFields` (server-side apply). */
export const fieldManager = 'topicsmith';
