import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { grants } from '../infra/generate/rbac.ts';
import { askedIn, complaints, mayAsk, renderAsked, thief, unseen } from './audit.ts';

type Event = Readonly<Record<string, unknown>>;

/** @param who of `topicsmith:<who>` */
const event = (who: string, verb: string, resource: string, more: Event = {}): Event => ({
  stage: 'ResponseComplete',
  stageTimestamp: '2026-11-22T10:00:00.000000Z',
  verb,
  requestURI: '/apis/cache.example.com/v1alpha1/kafkatopics',
  user: { username: `topicsmith-${who}`, groups: [`topicsmith:${who}`] },
  objectRef: { resource, apiGroup: 'cache.example.com' },
  annotations: { 'authorization.k8s.io/decision': 'allow' },
  ...more,
});
const denied = { annotations: { 'authorization.k8s.io/decision': 'forbid' } };
const admin = { user: { username: 'topicsmith-admin', groups: ['system:masters'] } };

async function reported(...events: readonly Event[]) {
  const dir = mkdtempSync(join(tmpdir(), 'audit-'));
  const log = join(dir, 'audit.log');
  writeFileSync(log, events.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const asked = await askedIn([log]).finally(() => rmSync(dir, { recursive: true }));
  return { asked, complaints: complaints(asked), table: renderAsked(asked) };
}

const quiet = [
  { reason: 'what an identity is there for', events: [event('forwarder', 'list', 'kafkatopics')] },
  { reason: 'an administrator', events: [event('', 'delete', 'kafkatopics', admin)] },
  {
    reason: 'what a thief tries',
    events: [event('forwarder', 'delete', 'kafkatopics', { ...denied, userAgent: thief })],
  },
  {
    reason: 'a denial after a test has taken the role away',
    events: [
      event('', 'delete', 'clusterrolebindings', {
        ...admin,
        objectRef: { resource: 'clusterrolebindings', name: 'topicsmith-forwarder' },
        responseStatus: { code: 200 },
      }),
      event('forwarder', 'watch', 'kafkatopics', { ...denied, stage: 'ResponseStarted' }),
    ],
  },
  {
    reason: 'a denial by a server that is not ready yet',
    events: [
      event('forwarder', 'list', 'kafkatopics', denied),
      event('', 'get', '', { ...admin, requestURI: '/readyz', objectRef: undefined, responseStatus: { code: 500 } }),
    ],
  },
];

const account = { username: 'system:serviceaccount:topics:topicsmith-resync', groups: ['system:serviceaccounts'] };
const loud = [
  {
    reason: 'a verb beside its own, though it was allowed',
    events: [event('reconciler', 'update', 'kafkatopics')],
    want: 'reconciler: update kafkatopics (allowed, 1 ×): is not for it',
  },
  {
    reason: 'a subresource that is not its own',
    events: [
      event('forwarder', 'patch', 'kafkatopics', {
        objectRef: { resource: 'kafkatopics', apiGroup: 'cache.example.com', subresource: 'status' },
      }),
    ],
    want: 'forwarder: patch kafkatopics/status (allowed, 1 ×): is not for it',
  },
  {
    reason: 'the same resource of another group',
    events: [
      event('forwarder', 'list', 'kafkatopics', {
        objectRef: { resource: 'kafkatopics', apiGroup: 'kafka.strimzi.io' },
      }),
    ],
    want: 'forwarder: list kafka.strimzi.io/kafkatopics (allowed, 1 ×): is not for it',
  },
  {
    reason: 'a secret',
    events: [event('resync', 'get', 'secrets', { ...denied, objectRef: { resource: 'secrets', namespace: 'a' } })],
    want: 'resync: get v1/secrets (forbidden, 1 ×): is not for it',
  },
  {
    reason: 'its own verb, denied',
    events: [event('reconciler', 'patch', 'kafkatopics', denied)],
    want: 'reconciler: patch kafkatopics (forbidden, 1 ×): was refused',
  },
  {
    reason: 'its own verb, refused by a policy',
    events: [
      event('reconciler', 'patch', 'kafkatopics', {
        annotations: {
          'authorization.k8s.io/decision': 'allow',
          'validation.policy.admission.k8s.io/validation_failure': '[]',
        },
      }),
    ],
    want: 'reconciler: patch kafkatopics (refused, 1 ×): was refused',
  },
  {
    reason: 'a service account of an identity',
    events: [event('', 'create', 'kafkatopics', { user: account })],
    want: 'resync: create kafkatopics (allowed, 1 ×): is not for it',
  },
  {
    reason: 'somebody else’s name',
    events: [event('forwarder', 'list', 'kafkatopics', { impersonatedUser: { username: 'admin' } })],
    want: 'forwarder: impersonate to list kafkatopics (allowed, 1 ×): is not for it',
  },
];

describe('what identities ask API servers for', () => {
  for (const { reason, events } of quiet)
    test(`T120: is nothing to complain about: ${reason}`, async () =>
      assert.deepEqual((await reported(...events)).complaints, []));

  for (const { reason, events, want } of loud)
    test(`T120: is complained about: ${reason}`, async () =>
      assert.deepEqual((await reported(...events)).complaints, [`audit: ${want}`]));

  test('T120: is counted, a watch when it begins', async () => {
    const watch = (stage: string) => event('forwarder', 'watch', 'kafkatopics', { stage });
    const list = event('forwarder', 'list', 'kafkatopics');
    const { table } = await reported(list, watch('ResponseStarted'), list, watch('ResponseComplete'));
    assert.match(
      table,
      /^forwarder +list +kafkatopics +cluster +allowed +2\nforwarder +watch +kafkatopics +cluster +allowed +1\n/m,
    );
  });

  test('T120: has to be something for each of them, or the run proves nothing', async () => {
    const { asked } = await reported(event('forwarder', 'list', 'kafkatopics'), event('resync', 'list', 'kafkatopics'));
    assert.deepEqual(unseen(asked), ['audit: reconciler: asked for nothing in the whole run']);
  });

  test('T120: is no wider in the roles that ship', () => {
    for (const [who, rules] of Object.entries(mayAsk)) {
      const granted = (grants[who] ?? []).flatMap(({ apiGroups, resources, verbs }) =>
        verbs.flatMap((verb) =>
          resources.map(
            (resource) => `${verb} ${apiGroups[0] === 'cache.example.com' ? '' : `${apiGroups[0]}/`}${resource}`,
          ),
        ),
      );
      assert.deepEqual(granted, [...rules], who);
    }
  });
});
