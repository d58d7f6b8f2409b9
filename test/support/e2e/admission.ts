/** What an administrator may do to the rules of the API server. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kubectl } from './kubectl.ts';

const registrations = '/apis/admissionregistration.k8s.io/v1';
const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kafkatopics.cache.example.com';
const bindings = `${registrations}/validatingadmissionpolicybindings`;
const deadlineMs = 60_000;

type Version = { readonly schema: unknown };
type Definition = { readonly metadata: object; readonly spec: { readonly versions: readonly Version[] } };
type Binding = { readonly metadata: { readonly name: string }; readonly spec: unknown };

/** Lets nearly everything into a KafkaTopic, as an older definition may have, while something happens. */
export async function withoutRules(admin: Kubectl, during: () => Promise<void>): Promise<void> {
  const strict = (await admin.call('GET', definition)) as Definition;
  const { items } = (await admin.call('GET', bindings)) as { items: readonly Binding[] };
  for (const { metadata } of items) await admin.call('DELETE', `${bindings}/${metadata.name}`);
  await putVersions(
    admin,
    strict.spec.versions.map((version) => ({ ...version, schema: loose })),
  );
  await until(async () => (await verdictOn(admin, { topicName: 'a b', config: { key: null } })) === 'accepted');
  try {
    await during();
  } finally {
    for (const {
      metadata: { name },
      spec,
    } of items)
      await admin.call('POST', bindings, { body: { metadata: { name }, spec } });
    await putVersions(admin, strict.spec.versions);
    const refuses = async (spec: object) => (await verdictOn(admin, spec)) !== 'accepted';
    await until(async () => (await refuses({ topicName: 'a b' })) && (await refuses({ config: { key: null } })));
  }
}

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const loose = {
  openAPIV3Schema: {
    type: 'object',
    properties: { spec: { ...anything, properties: { topicName: { type: 'string' } } }, status: anything },
  },
};

async function putVersions(admin: Kubectl, versions: readonly Version[]): Promise<void> {
  const contentType = 'application/merge-patch+json';
  await admin.call('PATCH', definition, { body: { spec: { versions } }, contentType });
}

async function verdictOn(admin: Kubectl, spec: object): Promise<string> {
  const body = { apiVersion: 'cache.example.com/v1alpha1', kind: 'KafkaTopic', metadata: { name: 'probe' }, spec };
  const path = '/apis/cache.example.com/v1alpha1/namespaces/default/kafkatopics?dryRun=All&fieldValidation=Strict';
  return admin.call('POST', path, { body }).then(() => 'accepted', String);
}

/** What refuses a write to a status: a policy says 422, a webhook that cannot be asked is a 500. */
export const obstacles = {
  422: {
    path: `${registrations}/validatingadmissionpolicies`,
    body: (rules: object) => ({ spec: { matchConstraints: rules, validations: [{ expression: 'false' }] } }),
  },
  500: {
    path: `${registrations}/validatingwebhookconfigurations`,
    body: ({ resourceRules }: { resourceRules: object }) => ({
      webhooks: [
        {
          name: 'nobody.example.org',
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: resourceRules,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
        },
      ],
    }),
  },
} as const;

/** Every write to a status is answered with that code while something happens. @param probe an object to try it on */
export async function refusingStatus(
  admin: Kubectl,
  code: keyof typeof obstacles,
  probe: string,
  during: () => Promise<void>,
): Promise<void> {
  const metadata = { name: 'refuses.example.org' };
  const { path, body } = obstacles[code];
  const rule = { apiGroups: ['cache.example.com'], apiVersions: ['*'], operations: ['UPDATE'] };
  const rules = { resourceRules: [{ ...rule, resources: ['kafkatopics/status'] }] };
  await admin.call('POST', path, { body: { metadata, ...body(rules) } });
  const binding = { metadata, spec: { policyName: metadata.name, validationActions: ['Deny'] } };
  if (code === 422) await admin.call('POST', bindings, { body: binding });
  const refused = () =>
    admin.patchStatus(probe, { observedGeneration: 0 }).then(
      () => 0,
      ({ code }) => code,
    );
  await until(async () => (await refused()) === code);
  try {
    await during();
  } finally {
    await admin.call('DELETE', `${path}/${metadata.name}`);
    if (code === 422) await admin.call('DELETE', `${bindings}/${metadata.name}`);
    await until(async () => (await refused()) === 0);
  }
}

/** Rules take a moment until they hold. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the API server does not take over the rules');
    await sleep(50);
  }
}
