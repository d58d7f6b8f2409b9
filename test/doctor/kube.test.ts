import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Denied } from '../../functions/core/inspection.ts';
import {
  difference,
  judgeDefinition,
  judgePolicy,
  judgeRights,
  judgeServer,
  policyPaths,
  rightsOf,
} from '../../functions/doctor/kube.ts';
import shipped from '../../functions/doctor/shipped.generated.json' with { type: 'json' };
import { table } from '../support/table.ts';

table('versions of Kubernetes', (version: string) => judgeServer('https://api', version).verdict, [
  { reason: 'the oldest one that serves selectable fields', given: 'v1.31.0', want: 'ok' },
  { reason: 'vendors add their own words', given: 'v1.33.1-eks-1a2b3c4', want: 'ok' },
  { reason: 'an older one', given: 'v1.30.9', want: 'failed' },
  { reason: 'minor versions are numbers, not text', given: 'v1.9.0', want: 'failed' },
  { reason: 'a later major version', given: 'v2.0.0', want: 'ok' },
  { reason: 'whatever this is', given: 'unknown', want: 'warning' },
]);

const conditions = (type: string, status: string) => [{ type, status, message: 'no good' }];
const definition = (change: (spec: typeof shipped.definition.spec) => void = () => {}, status = {}) => {
  const copy = structuredClone(shipped.definition);
  change(copy.spec);
  return { ...copy, status };
};

describe('the stored definition', () => {
  const summary = (stored: Parameters<typeof judgeDefinition>[0]) => {
    const { verdict, says } = judgeDefinition(stored);
    return `${verdict}: ${says}`;
  };
  const name = 'kafkatopics.cache.example.com';

  test('is well when it is the shipped one, whatever else the API server adds around it', () => {
    const stored = definition((spec) => Object.assign(spec, { conversion: { strategy: 'None' } }), {
      conditions: conditions('Established', 'True'),
    });
    assert.match(summary(stored), /^ok/);
  });

  test('absent: how to install it is said', () => {
    assert.equal(summary('absent'), `failed: the API server has no ${name}`);
    assert.equal(judgeDefinition('absent').mend, 'kubectl apply -f crds/');
  });

  test('that may not be read is neither good nor bad, unless nothing is served', () => {
    assert.equal(judgeDefinition('forbidden', {}).verdict, 'notChecked');
    assert.equal(judgeDefinition('forbidden', 'forbidden').verdict, 'notChecked');
    assert.equal(judgeDefinition('forbidden', 'absent').verdict, 'failed');
  });

  test('an older one fails with the place where it differs', () =>
    assert.equal(
      summary(
        definition((spec) => {
          const [version] = spec.versions;
          delete (version as { selectableFields?: unknown }).selectableFields;
        }),
      ),
      `failed: ${name} is of another version than this program: it differs at spec.versions[0].selectableFields`,
    ));

  test('a newer one fails too: this program does not know what it allows', () =>
    assert.match(
      summary(
        definition((spec) => {
          Object.assign(spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties ?? {}, { added: {} });
        }),
      ),
      /differs at spec\.versions\[0\]\.schema\.openAPIV3Schema\.properties\.spec\.properties\.added$/,
    ));

  for (const type of ['Established', 'NamesAccepted'])
    test(`one that is not ${type} fails with its own words`, () =>
      assert.equal(
        summary(definition(() => {}, { conditions: conditions(type, 'False') })),
        `failed: ${name} is not ${type}: no good`,
      ));
});

describe('the policy for configs', () => {
  type Stored = Parameters<typeof judgePolicy>[0][number];
  const both = (): Stored[] => structuredClone(shipped.policies) as Stored[];

  test('lies at two paths: itself and its binding', () =>
    assert.deepEqual(
      policyPaths.map((path) => path.split('/').at(-2)),
      ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'],
    ));

  test('is well with what the API server fills in', () => {
    const [policy, binding] = both() as { spec: object }[];
    Object.assign(policy?.spec ?? {}, { matchPolicy: 'Equivalent' });
    assert.equal(judgePolicy([policy as Stored, binding as Stored]).verdict, 'ok');
  });

  test('without its binding it is a warning: the worker refuses the same', () => {
    const [policy] = both();
    const { verdict, says } = judgePolicy([policy as Stored, 'absent']);
    assert.equal(verdict, 'warning');
    assert.match(says, /^there is no ValidatingAdmissionPolicyBinding kafkatopic-config/);
  });

  test('of another version it is a warning', () => {
    const [policy, binding] = both() as { spec: { failurePolicy?: string } }[];
    if (policy !== undefined) policy.spec.failurePolicy = 'Ignore';
    const { verdict, says } = judgePolicy([policy as Stored, binding as Stored]);
    assert.deepEqual([verdict, says.split(' at ').at(-1)], ['warning', 'spec.failurePolicy']);
  });

  test('that may not be read is not checked', () =>
    assert.equal(judgePolicy(['forbidden', 'forbidden']).verdict, 'notChecked'));
});

const denied = (verb: string, more: Partial<Denied> = {}): Denied => ({
  group: 'cache.example.com',
  resource: 'kafkatopics',
  verb,
  ...more,
});
const rights = (who: 'you' | 'reconciler', ...list: readonly Denied[]) => {
  const { verdict, says } = judgeRights(who, [{ as: 'ann', denied: list }]);
  return `${verdict}: ${says}`;
};

describe('rights at the API server', () => {
  test('of each identity are those of the generated roles', () => {
    assert.deepEqual(
      rightsOf('forwarder').map(({ verb }) => verb),
      ['get', 'list', 'watch'],
    );
    assert.deepEqual(
      rightsOf('reconciler').map(({ resource, subresource, verb }) => [resource, subresource, verb].join(' ').trim()),
      ['kafkatopics  get', 'kafkatopics  list', 'kafkatopics  patch', 'kafkatopics status patch', 'events  create'],
    );
  });

  test('nothing denied is well', () => assert.equal(rights('reconciler'), 'ok: ann may do all that is needed'));

  test('what is denied is told by resource and namespace', () =>
    assert.equal(
      rights(
        'reconciler',
        denied('get'),
        denied('list'),
        denied('patch', { subresource: 'status', namespace: 'shop' }),
      ),
      'failed: ann may not get, list kafkatopics in all namespaces; patch kafkatopics/status in namespace shop',
    ));

  test('somebody who can only look is warned, somebody who cannot is not served', () => {
    assert.match(rights('you', denied('patch')), /^warning/);
    assert.match(rights('you', denied('patch'), denied('list')), /^failed/);
  });

  test('whose rights nobody may ask for are not checked, and the way around it is named', () => {
    const { verdict, mend = '' } = judgeRights('reconciler', 'forbidden');
    assert.equal(verdict, 'notChecked');
    assert.match(mend, /KUBECONFIG_RECONCILER/);
  });

  test('of several who are bound to a role count one by one', () => {
    const right = { group: 'cache.example.com', resource: 'kafkatopics', verb: 'list' };
    const all = { as: 'user ann', denied: [] };
    const lacking = { as: 'user bob', denied: [right] };
    assert.equal(
      judgeRights('resync', [all, { ...all, as: 'user eve' }]).says,
      'user ann, user eve may do all that is needed',
    );
    const { verdict, says } = judgeRights('resync', [all, lacking, { ...lacking, as: 'user dan' }]);
    assert.equal(verdict, 'failed');
    assert.equal(
      says,
      'user bob may not list kafkatopics in all namespaces; user dan may not list kafkatopics in all namespaces',
    );
  });
});

table(
  'difference',
  ([wanted, found, isSubset]: readonly [unknown, unknown, boolean?]) => difference(wanted, found, 'x', isSubset),
  [
    {
      reason: 'the order of keys is no difference',
      given: [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      want: undefined,
    },
    { reason: 'another value', given: [{ a: { b: 1 } }, { a: { b: 2 } }], want: 'x.a.b' },
    { reason: 'a key less', given: [{ a: 1 }, {}], want: 'x.a' },
    { reason: 'a key more', given: [{}, { a: 1 }], want: 'x.a' },
    { reason: 'a key more, where others may add some', given: [{}, { a: 1 }, true], want: undefined },
    { reason: 'an item more is a difference all the same', given: [[1], [1, 2], true], want: 'x[1]' },
    {
      reason: 'the order of items counts',
      given: [
        [1, 2],
        [2, 1],
      ],
      want: 'x[0]',
    },
    { reason: 'a list is no object', given: [[], {}], want: 'x' },
    { reason: 'null is no object', given: [null, {}], want: 'x' },
  ],
);
