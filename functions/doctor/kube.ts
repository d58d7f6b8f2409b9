/** What the answers of the API server say about an installation: pure functions from facts to findings. */
import { group, oldestKubernetes, plural, version } from '../core/api.ts';
import type { Denied, Identity, Right, Rights } from '../core/inspection.ts';
import { type Finding, failed, notChecked, ok, warning } from './check.ts';
import shipped from './shipped.generated.json' with { type: 'json' };

const install = 'kubectl apply -f crds/';
const roles = 'infra/rbac.yaml';

/** @param told as `/version` has it, for example `v1.36.3` or `v1.33.1-eks-1234567` */
export function judgeServer(url: string, told: string): Finding {
  const numbers = /^v?(\d+)\.(\d+)/.exec(told);
  if (numbers === null)
    return warning(`${url} says that its version is "${told}"`, `is it Kubernetes ${oldestKubernetes} or newer?`);
  const [major, minor] = numbers.slice(1).map(Number) as [number, number];
  const [oldestMajor, oldestMinor] = oldestKubernetes.split('.').map(Number) as [number, number];
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    return failed(`${told} at ${url}`, `the definition needs Kubernetes ${oldestKubernetes} or newer: upgrade`);
  return ok(`${told} at ${url}`);
}

type Stored = object | 'absent' | 'forbidden';
type Definition = {
  readonly spec: { readonly versions: readonly object[] };
  readonly status?: { readonly conditions?: readonly { type: string; status: string; message?: string }[] };
};

/** The path of the definition, for `stored`. */
export const definitionPath = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`;

/** Where everybody may see what is served, for `stored`. */
export const servedPath = `/apis/${group}/${version}`;

/**
 * The definition of KafkaTopics, compared with the one that this program was made with.
 *
 * @param served what is at `servedPath`; asked only where the definition itself may not be read
 */
export function judgeDefinition(stored: Stored, served?: Stored): Finding {
  const name = `${plural}.${group}`;
  if (stored === 'absent' || served === 'absent') return failed(`the API server has no ${name}`, install);
  if (stored === 'forbidden')
    return notChecked(
      `KafkaTopics are served, but you may not read their definition ${name}`,
      'run doctor as somebody who may get customresourcedefinitions, for example an administrator',
    );
  const { spec, status } = stored as Definition;
  const trouble = status?.conditions?.find(({ type, status: is }) => isNeeded(type) && is !== 'True');
  if (trouble !== undefined) return failed(`${name} is not ${trouble.type}: ${trouble.message}`, install);
  const at = difference(shipped.definition.spec.versions, spec.versions, 'spec.versions');
  if (at !== undefined) return failed(`${name} is of another version than this program: it differs at ${at}`, install);
  return ok(`${name} is the one that this program was made with`);
}

const isNeeded = (type: string): boolean => type === 'Established' || type === 'NamesAccepted';

/** Paths of what refuses bad configs, for `stored`: the policy and its binding. */
export const policyPaths = shipped.policies.map(
  ({ kind, metadata }) =>
    `/apis/admissionregistration.k8s.io/v1/${kind === 'ValidatingAdmissionPolicy' ? 'validatingadmissionpolicies' : 'validatingadmissionpolicybindings'}/${metadata.name}`,
);

/** Without the policy nothing breaks: bad configs are then refused by the worker, later and in the status. */
export function judgePolicy(stored: readonly Stored[]): Finding {
  if (stored.includes('forbidden'))
    return notChecked(
      'you may not read admission policies',
      'run doctor as somebody who may get validatingadmissionpolicies and validatingadmissionpolicybindings',
    );
  for (const [index, { kind, metadata, spec }] of shipped.policies.entries()) {
    const found = stored[index] as { spec: object } | 'absent';
    if (found === 'absent')
      return warning(
        `there is no ${kind} ${metadata.name}: bad config values are seen by the worker only`,
        `${install} (needs Kubernetes 1.30)`,
      );
    // the API server fills in what ours leave out
    const at = difference(spec, found.spec, 'spec', true);
    if (at !== undefined)
      return warning(`${kind} ${metadata.name} is of another version: it differs at ${at}`, install);
  }
  return ok('bad config values are refused before they are stored');
}

/** Whoever runs commands: without reading nothing works, without patch `approve` and `reconcile --wait` do not. */
export const rightsOfYou: readonly Right[] = ['get', 'list', 'patch'].map((verb) => ({
  group,
  resource: plural,
  verb,
}));

export const rightsOf = (who: Identity): readonly Right[] => shipped.rights[who];

export function judgeRights(who: Identity | 'you', rights: readonly Rights[] | 'forbidden'): Finding {
  if (rights === 'forbidden')
    return notChecked(
      'you may not see who is bound to its role, or not ask for the rights of others',
      `run doctor as somebody who may get clusterrolebindings and rolebindings and create subjectaccessreviews, or name the kubeconfig of this identity in KUBECONFIG_${who.toUpperCase()}`,
    );
  const lacking = rights.filter(({ denied }) => denied.length > 0);
  if (lacking.length === 0) return ok(`${rights.map(({ as }) => as).join(', ')} may do all that is needed`);
  const says = lacking.map(({ as, denied }) => `${as} may not ${listOf(denied)}`).join('; ');
  if (who !== 'you')
    return failed(says, `kubectl apply -f ${roles}, and see who is bound to the role topicsmith-${who}`);
  const mend = `ask for the role topicsmith-tenant of ${roles}`;
  return lacking.every(({ denied }) => denied.every(({ verb }) => verb === 'patch'))
    ? warning(says, mend)
    : failed(says, mend);
}

/** As `get and list kafkatopics in shop; patch kafkatopics/status in shop`. */
function listOf(denied: readonly Denied[]): string {
  const wheres = Map.groupBy(denied, ({ resource, subresource, namespace }) => {
    const what = subresource === undefined ? resource : `${resource}/${subresource}`;
    return `${what} in ${namespace === undefined ? 'all namespaces' : `namespace ${namespace}`}`;
  });
  return [...wheres].map(([where, rights]) => `${rights.map(({ verb }) => verb).join(', ')} ${where}`).join('; ');
}

/**
 * @param isSubset other keys of `found` do not count
 * @returns the path of the first difference between JSON values
 */
export function difference(wanted: unknown, found: unknown, path: string, isSubset = false): string | undefined {
  if (wanted === found) return undefined;
  if (!isObject(wanted) || !isObject(found) || Array.isArray(wanted) !== Array.isArray(found)) return path;
  const keys = new Set([...Object.keys(wanted), ...(isSubset && !Array.isArray(wanted) ? [] : Object.keys(found))]);
  for (const key of keys) {
    const inner = Array.isArray(wanted) ? `${path}[${key}]` : `${path}.${key}`;
    const at = difference(wanted[key], found[key], inner, isSubset);
    if (at !== undefined) return at;
  }
  return undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
