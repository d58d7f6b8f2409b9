/** The policy with which the API server adds finalizers by itself, `infra/admission-finalizer.yaml`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaTopic, Kubectl } from './kubectl.ts';

const bindings = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings';
const name = 'kafkatopic-finalizer.cache.example.com';
const deadlineMs = 60_000;

/** Takes the policy out of force. The API server follows some moments later, which is waited for. */
export async function removeFinalizerPolicy(admin: Kubectl): Promise<void> {
  await admin.call('DELETE', `${bindings}/${name}`);
  await until(admin, false);
}

/** The same while something happens. */
export async function withoutFinalizerPolicy(admin: Kubectl, during: () => Promise<void>): Promise<void> {
  await removeFinalizerPolicy(admin);
  try {
    await during();
  } finally {
    await admin.call('POST', bindings, { body: { metadata: { name }, spec: { policyName: name } } });
    await until(admin, true);
  }
}

async function until(admin: Kubectl, adds: boolean): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while ((await addsFinalizer(admin)) !== adds) {
    if (performance.now() > deadline) throw new Error('the API server does not follow its policies');
    await sleep(20);
  }
}

/** Asks with a creation that is not stored. */
async function addsFinalizer(admin: Kubectl): Promise<boolean> {
  const path = `/apis/cache.example.com/v1alpha1/namespaces/${admin.namespace}/kafkatopics?dryRun=All`;
  const probe = {
    apiVersion: 'cache.example.com/v1alpha1',
    kind: 'KafkaTopic',
    metadata: { name: 'probe' },
    spec: { deletionPolicy: 'Delete' },
  };
  const { metadata } = (await admin.call('POST', path, { body: probe })) as KafkaTopic;
  return metadata.finalizers !== undefined;
}
