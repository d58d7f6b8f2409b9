/**
 * Who may do what: AWS's evaluation of policies within one account. An explicit deny ends it, an allow by the identity's
 * or by the resource's policy is needed.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import assert from 'node:assert/strict';
import type { deployed } from './cloudformation.ts';

type Resources = ReturnType<typeof deployed>['resources'];
type Context = Readonly<Record<string, string>>;
type Statement = {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: string | { readonly AWS?: string | string[]; readonly Service?: string };
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
};

/**
 * Whether `role` may do `action` on `resource`; `denied` also for who has other policies.
 *
 * @param role logical id, or an ARN of a role that is no part of the stack
 * @param context keys of the request beside its principal; TLS unless it says otherwise
 */
export function decision(
  resources: Resources,
  role: string,
  action: string,
  resource: string,
  context: Context = {},
): 'allowed' | 'denied' | 'not allowed' {
  const principal = role.startsWith('arn:') ? role : `arn:aws:iam::111122223333:role/${role}`;
  const keys = { 'aws:SecureTransport': 'true', 'aws:PrincipalArn': principal, ...context };
  const matching = [...identityPolicies(resources, role), ...resourcePolicies(resources, resource, principal)].filter(
    (statement) => covers(statement, action, resource) && holds(statement, keys),
  );
  if (matching.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return matching.length > 0 ? 'allowed' : 'not allowed';
}

export const may = (...request: Parameters<typeof decision>): boolean => decision(...request) === 'allowed';

/** All that the policies of a role allow, as `action resource`. */
export const allowances = (resources: Resources, role: string): string[] =>
  identityPolicies(resources, role)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} ${resource}`)),
    )
    .sort();

function identityPolicies(resources: Resources, role: string): Statement[] {
  const { Policies = [] } = (resources[role]?.Properties ?? {}) as {
    Policies?: { PolicyDocument: { Statement: Statement[] } }[];
  };
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

function resourcePolicies(resources: Resources, resource: string, principal: string): Statement[] {
  const policies = Object.values(resources).filter(({ Type }) => Type === 'AWS::SQS::QueuePolicy');
  const documents = policies.map(({ Properties }) => Properties.PolicyDocument as { Statement: Statement[] });
  return documents
    .flatMap(({ Statement }) => Statement)
    .filter(({ Resource }) => Resource === resource)
    .filter(
      ({ Principal }) =>
        Principal === '*' || (typeof Principal === 'object' && [Principal.AWS ?? []].flat().includes(principal)),
    );
}

const covers = ({ Action, Resource }: Statement, action: string, resource: string): boolean =>
  [Action].flat().some((pattern) => matches(pattern, action)) &&
  [Resource].flat().some((pattern) => matches(pattern, resource));

function holds({ Condition = {} }: Statement, keys: Context): boolean {
  return Object.entries(Condition).every(([operator, wanted]) =>
    Object.entries(wanted).every(([key, values]) => compare(operator, keys[key], [values].flat())),
  );
}

/** Negated operators hold for a key that is not there. */
function compare(operator: string, value: string | undefined, wanted: readonly string[]): boolean {
  switch (operator) {
    case 'Bool':
    case 'StringEquals':
    case 'ArnEquals':
      return value !== undefined && wanted.includes(value);
    case 'StringNotEquals':
    case 'ArnNotEquals':
      return value === undefined || !wanted.includes(value);
    default:
      return assert.fail(`the template uses ${operator}`);
  }
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}
