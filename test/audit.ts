/**
 * What the product's identities asked API servers for, by the audit logs, held against what each may ask (T120, O13).
 *
 * `node test/audit.ts FILE…` prints it as a table, and ends with 1 when anything was asked that is not allowed, or was
 * refused. `npm test` does the same for every API server that any of its tests has started.
 */
import { createReadStream, globSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { columns } from './bench/table.ts';

/** Not made from `infra/rbac.yaml`, so that a role that grows is noticed here. */
export const mayAsk = {
  forwarder: ['get kafkatopics', 'list kafkatopics', 'watch kafkatopics'],
  resync: ['get kafkatopics', 'list kafkatopics'],
  reconciler: [
    'get kafkatopics',
    'list kafkatopics',
    'patch kafkatopics',
    'patch kafkatopics/status',
    'create events.k8s.io/events',
  ],
} as const;

/** Kubernetes lets everybody who is logged in ask about themselves: `doctor` does, with the credentials of an identity. */
const aboutThemselves = [
  'create authorization.k8s.io/selfsubjectaccessreviews',
  'create authentication.k8s.io/selfsubjectreviews',
];

export type Who = keyof typeof mayAsk;

/** How a test that plays a thief of an identity's credentials calls itself: what it tries is listed apart. */
export const thief = 'stolen-credentials';

/**
 * `forbidden`: by its roles. `no role`: by its roles, after a test had taken its role away, or by a server that had just
 * been started and knew no roles yet. `refused`: by a policy.
 */
export type Decision = 'allowed' | 'forbidden' | 'no role' | 'refused';

/** `what`: such as `patch kafkatopics/status`; groups of others are named, `events.k8s.io/events`. */
export type Asked = {
  readonly who: Who;
  readonly stolen: boolean;
  readonly what: string;
  readonly scope: 'cluster' | 'namespace';
  readonly decision: Decision;
  readonly count: number;
};

/** @see https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
type AuditEvent = {
  readonly stage: string;
  readonly stageTimestamp: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly user: { readonly username?: string; readonly groups?: readonly string[] };
  readonly impersonatedUser?: object;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly annotations?: Readonly<Record<string, string>>;
};

/** @param logs files of audit events, one in a line; each of an API server of its own */
export async function askedIn(logs: readonly string[]): Promise<readonly Asked[]> {
  const found = new Map<string, Asked>();
  for (const log of logs)
    for (const one of await requestsIn(log)) {
      const key = JSON.stringify(one);
      found.set(key, { ...one, count: (found.get(key)?.count ?? 0) + 1 });
    }
  return [...found.values()].sort((a, b) => sortKey(a).localeCompare(sortKey(b)));
}

type Request = Omit<Asked, 'count'>;
type Denial = { readonly at: number; readonly request: { decision: Decision } };

async function requestsIn(log: string): Promise<readonly Request[]> {
  const requests: Request[] = [];
  const withoutRole = new Set<string>();
  const denials: Denial[] = [];
  for await (const line of createInterface(createReadStream(log))) {
    if (!line.includes('topicsmith')) continue;
    const event = JSON.parse(line) as AuditEvent;
    noteTakenRole(event, withoutRole);
    excuseWhileStarting(event, denials);
    const request = requestOf(event, withoutRole);
    if (request === undefined) continue;
    requests.push(request);
    if (request.decision === 'forbidden') denials.push({ at: Date.parse(event.stageTimestamp), request });
  }
  return requests;
}

const sortKey = ({ who, stolen, what, decision }: Asked) => `${stolen} ${who} ${what} ${decision}`;

function noteTakenRole({ verb, objectRef, responseStatus }: AuditEvent, withoutRole: Set<string>): void {
  const { resource, name = '' } = objectRef ?? {};
  if (verb === 'delete' && resource === 'clusterrolebindings' && responseStatus?.code === 200)
    withoutRole.add(name.replace('topicsmith-', ''));
}

/** Between the start of a server and its being ready, which whoever has started it asks for all the time. */
const startMillis = 5_000;

function excuseWhileStarting(event: AuditEvent, denials: readonly Denial[]): void {
  if (event.requestURI !== '/readyz' || event.responseStatus?.code !== 500) return;
  const since = Date.parse(event.stageTimestamp) - startMillis;
  for (const { request } of denials.filter(({ at }) => at > since)) request.decision = 'no role';
}

function requestOf(event: AuditEvent, withoutRole: ReadonlySet<string>): Request | undefined {
  const who = identityOf(event.user);
  // a watch is answered when it begins, and once more when it ends
  const isEnd = event.verb === 'watch' && event.stage === 'ResponseComplete';
  if (who === undefined || isEnd) return undefined;
  return {
    who,
    stolen: event.userAgent === thief,
    what: `${event.impersonatedUser === undefined ? '' : 'impersonate to '}${event.verb} ${resourceOf(event)}`,
    scope: event.objectRef?.namespace === undefined ? 'cluster' : 'namespace',
    decision: decisionOn(event, withoutRole.has(who)),
  };
}

/** By group, as roles and policies know them, or by service account. */
function identityOf({ username = '', groups = [] }: AuditEvent['user']): Who | undefined {
  const account = /^system:serviceaccount:[^:]+:[^:]*topicsmith[^:]*-([a-z]+)$/.exec(username)?.[1];
  return (Object.keys(mayAsk) as Who[]).find((who) => who === account || groups.includes(`topicsmith:${who}`));
}

function resourceOf({ objectRef, requestURI }: AuditEvent): string {
  if (objectRef?.resource === undefined) return requestURI.replace(/\?.*/, '');
  const { apiGroup = '', resource, subresource } = objectRef;
  const prefix = apiGroup === 'cache.example.com' ? '' : `${apiGroup || 'v1'}/`;
  return prefix + [resource, subresource].filter((part) => part !== undefined).join('/');
}

function decisionOn({ annotations = {} }: AuditEvent, roleWasTaken: boolean): Decision {
  if (annotations['authorization.k8s.io/decision'] === 'forbid') return roleWasTaken ? 'no role' : 'forbidden';
  return 'validation.policy.admission.k8s.io/validation_failure' in annotations ? 'refused' : 'allowed';
}

/** What must not be: a line each. Of thieves nothing is expected here, the tests that play them say what they get. */
export function complaints(asked: readonly Asked[]): readonly string[] {
  return asked
    .filter(({ stolen }) => !stolen)
    .flatMap(({ who, what, decision, count }) => {
      const isListed = [...mayAsk[who], ...aboutThemselves].includes(what);
      const isFine = isListed && (decision === 'allowed' || decision === 'no role');
      return isFine
        ? []
        : [`audit: ${who}: ${what} (${decision}, ${count} ×): ${isListed ? 'was refused' : 'is not for it'}`];
    });
}

/** Identities of which a run has seen nothing: about them it proves nothing. */
export const unseen = (asked: readonly Asked[]): readonly string[] =>
  Object.keys(mayAsk)
    .filter((who) => !asked.some((one) => one.who === who && !one.stolen))
    .map((who) => `audit: ${who}: asked for nothing in the whole run`);

export function renderAsked(asked: readonly Asked[]): string {
  const rows = asked.map(({ who, stolen, what, scope, decision, count }) => {
    const [verb = '', resource = ''] = what.split(/ (?=\S+$)/);
    return [stolen ? `${who}, stolen` : who, verb, resource, scope, decision, String(count)];
  });
  const head = ['IDENTITY', 'VERB', 'RESOURCE', 'SCOPE', 'DECISION', 'REQUESTS'];
  return columns([head, ...rows], ['left', 'left', 'left', 'left', 'left', 'right']);
}

/** Audit logs in a directory. */
export const logsIn = (directory: string): readonly string[] =>
  globSync('*.log', { cwd: directory }).map((name) => join(directory, name));

if (import.meta.main) {
  const asked = await askedIn(process.argv.slice(2));
  process.stdout.write(renderAsked(asked));
  const lines = complaints(asked);
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exitCode = lines.length > 0 ? 1 : 0;
}
