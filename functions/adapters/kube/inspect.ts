/** What `doctor` asks of the API server. Reviews of rights are sent as creations, and store nothing. */
import { clockSkewMs } from '../../core/clock.ts';
import type { Denied, Identity, KubeInspection, Right, Rights } from '../../core/inspection.ts';
import type { Installation } from '../../core/installation.ts';
import { ApiError, type KubeClient } from './client.ts';
import { failureOf } from './failure.ts';
import type { kubeResources } from './resources.ts';

type Parts = {
  readonly client: KubeClient;
  /** of all watched objects */
  readonly resources: Pick<ReturnType<typeof kubeResources>, 'page'>;
  /** empty: all */
  readonly namespaces: readonly string[];
  /** a client with the credentials of an identity, where there are any. @throws Error */
  readonly clientOf: (who: Identity) => KubeClient | undefined;
};

export function inspectKube({ client, resources, namespaces, clientOf }: Parts): KubeInspection {
  return {
    server: (signal) => server(client, signal),
    stored: (path, signal) => stored(client, path, signal),
    async rights(who, rights, signal) {
      const own = who === 'you' ? client : clientOf(who);
      const places = namespaces.length === 0 ? [undefined] : namespaces;
      try {
        return own === undefined
          ? await rightsOfBound(client, who as Identity, rights, places, signal)
          : [await ownRights(own, rightsIn(places, rights), signal)];
      } catch (error) {
        if (isForbidden(error)) return 'forbidden';
        throw failureOf(error);
      }
    },
    topicNames: (limit, selects, signal) => topicNames(resources, limit, selects, signal),
  };
}

const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.code === 403;

async function server(client: KubeClient, signal: AbortSignal) {
  let skewMs: number | undefined;
  const sentAt = Date.now();
  const onDate = (date: string) => {
    skewMs = clockSkewMs(date, sentAt, Date.now());
  };
  try {
    const { gitVersion } = (await client.request('GET', '/version', { signal, onDate })) as { gitVersion: string };
    return { url: client.kubeConfig.getCurrentCluster()?.server ?? '', version: gitVersion, skewMs };
  } catch (error) {
    throw failureOf(error);
  }
}

async function stored(client: KubeClient, path: string, signal: AbortSignal): Promise<object | 'absent' | 'forbidden'> {
  try {
    return (await client.request('GET', path, { signal })) as object;
  } catch (error) {
    if (isForbidden(error)) return 'forbidden';
    if (error instanceof ApiError && error.code === 404) return 'absent';
    throw failureOf(error);
  }
}

/** A namespace; undefined: all of them. */
type Place = string | undefined;

const rightsIn = (places: readonly Place[], rights: readonly Right[]): readonly Denied[] =>
  places.flatMap((namespace) => rights.map((right) => ({ ...right, ...(namespace && { namespace }) })));

type Review = { readonly status: { readonly allowed: boolean } };

const reviews = '/apis/authorization.k8s.io/v1';

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access */
async function denied(
  client: KubeClient,
  kind: 'selfsubjectaccessreviews' | 'subjectaccessreviews',
  subject: object,
  asked: readonly Denied[],
  signal: AbortSignal,
): Promise<readonly Denied[]> {
  const answers = await Promise.all(
    asked.map(async (right) => {
      const spec = { ...subject, resourceAttributes: right };
      const { status } = (await client.request('POST', `${reviews}/${kind}`, { body: { spec }, signal })) as Review;
      return status.allowed;
    }),
  );
  return asked.filter((_, index) => !answers[index]);
}

/** Also proves that the credentials are accepted. */
async function ownRights(client: KubeClient, asked: readonly Denied[], signal: AbortSignal): Promise<Rights> {
  const body = {};
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const { status } = (await client.request('POST', path, { body, signal })) as {
    status: { userInfo: { username: string } };
  };
  return { as: status.userInfo.username, denied: await denied(client, 'selfsubjectaccessreviews', {}, asked, signal) };
}

/** Each where they are bound. */
async function rightsOfBound(
  client: KubeClient,
  who: Identity,
  rights: readonly Right[],
  places: readonly Place[],
  signal: AbortSignal,
): Promise<readonly Rights[]> {
  const bound = (await boundTo(client, who, places, signal)).map(({ subject, place }) => ({
    ...reviewed(subject),
    place,
  }));
  const found = [...Map.groupBy(bound, ({ as }) => as)].map(async ([as, [first, ...others]]) => {
    const { subject, place } = first as (typeof bound)[number];
    const asked = rightsIn([place, ...others.map((other) => other.place)], rights);
    return { as, denied: await denied(client, 'subjectaccessreviews', subject, asked, signal) };
  });
  return Promise.all(found);
}

type Subject = { readonly kind: string; readonly name: string; readonly namespace?: string };
type Bound = { readonly subject: Subject; readonly place: Place };

/** Who is bound to the role everywhere, else in each namespace; where nobody is, the group that `infra/rbac.yaml` binds. */
async function boundTo(
  client: KubeClient,
  who: Identity,
  places: readonly Place[],
  signal: AbortSignal,
): Promise<readonly Bound[]> {
  const everywhere = await subjectsOf(client, `clusterrolebindings/topicsmith-${who}`, signal);
  const group = { kind: 'Group', name: `topicsmith:${who}` };
  const bound = places.map(async (place) => {
    const here =
      everywhere.length > 0 || place === undefined
        ? everywhere
        : await subjectsOf(client, `namespaces/${encodeURIComponent(place)}/rolebindings/topicsmith-${who}`, signal);
    return (here.length === 0 ? [group] : here).map((subject) => ({ subject, place }));
  });
  return (await Promise.all(bound)).flat();
}

/** Nobody where there is no such binding. @throws ApiError also when it may not be read: nobody knows then who is bound */
async function subjectsOf(client: KubeClient, binding: string, signal: AbortSignal): Promise<readonly Subject[]> {
  try {
    const path = `/apis/rbac.authorization.k8s.io/v1/${binding}`;
    const { subjects = [] } = (await client.request('GET', path, { signal })) as { subjects?: readonly Subject[] };
    return subjects;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return [];
    throw error;
  }
}

/** The groups are those that the API server adds by itself. */
function reviewed({ kind, name, namespace }: Subject): { as: string; subject: object } {
  const everybody = 'system:authenticated';
  if (kind === 'User') return { as: `user ${name}`, subject: { user: name, groups: [everybody] } };
  if (kind === 'Group')
    return { as: `group ${name}`, subject: { user: `a member of ${name}`, groups: [name, everybody] } };
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, everybody];
  return {
    as: `service account ${namespace}/${name}`,
    subject: { user: `system:serviceaccount:${namespace}:${name}`, groups },
  };
}

async function topicNames(
  resources: Parts['resources'],
  limit: number,
  selects: Installation['selects'],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const names = new Set<string>();
  let token: string | undefined;
  do {
    const page = await resources.page(limit, token, signal);
    for (const { topicName, labels } of page.items) if (names.size < limit && selects(labels)) names.add(topicName);
    token = page.continue;
  } while (token !== undefined && names.size < limit);
  return [...names];
}
