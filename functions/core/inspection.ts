/**
 * What `doctor` and `status` ask of the parts beside objects and topics. All of it only reads, and nothing that runs
 * needs the rights for it: what somebody may not see is `'forbidden'`, and no failure.
 */
import type { Installation } from './installation.ts';

/** Who works for an installation; `you` is whoever runs the command. */
export type Identity = 'forwarder' | 'resync' | 'reconciler';

/** A right as the API server has it. `subresource`: absent for the resource itself. */
export type Right = {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
};

/** `namespace`: absent for all of them. */
export type Denied = Right & { readonly namespace?: string };

/** `as`: whose rights were asked about, for people. */
export type Rights = { readonly as: string; readonly denied: readonly Denied[] };

export type KubeInspection = {
  /** `skewMs`: how far its clock is ahead of ours, about half a second exact; undefined when it tells no time. @throws Failure */
  server(
    signal: AbortSignal,
  ): Promise<{ readonly url: string; readonly version: string; readonly skewMs: number | undefined }>;
  /** What is stored at a path of the API server. @throws Failure */
  stored(path: string, signal: AbortSignal): Promise<object | 'absent' | 'forbidden'>;
  /**
   * Asks for the rights in each watched namespace, or in all at once. Of the identities with the credentials in
   * `KUBECONFIG_<IDENTITY>` where that is set, else for those whom the ClusterRoleBinding `topicsmith-<identity>` names, or
   * the RoleBindings of that name in the watched namespaces.
   *
   * @returns an entry for each of them, at least one; `'forbidden'` also when we may not see who is bound
   * @throws Failure
   */
  rights(
    who: Identity | 'you',
    rights: readonly Right[],
    signal: AbortSignal,
  ): Promise<readonly Rights[] | 'forbidden'>;
  /** Topic names of watched objects with labels that are selected, at most `limit`, each once. @throws Failure */
  topicNames(limit: number, selects: Installation['selects'], signal: AbortSignal): Promise<readonly string[]>;
};

export const queueVariables = ['RECONCILE_QUEUE_URL', 'RECONCILE_DLQ_URL', 'TICK_QUEUE_URL', 'TICK_DLQ_URL'] as const;
export type QueueVariable = (typeof queueVariables)[number];

export type QueueInspection = {
  /**
   * All attributes of the queue whose URL is in the environment variable `variable`.
   *
   * @returns undefined when the variable is not set
   * @throws Failure
   */
  attributes(
    variable: QueueVariable,
    signal: AbortSignal,
  ): Promise<
    | {
        readonly url: string;
        readonly attributes: Readonly<Record<string, string>>;
        readonly skewMs: number | undefined;
      }
    | 'forbidden'
    | undefined
  >;
};

/** Operations of Kafka's ACLs that we need. */
export type Operation = 'Create' | 'Delete' | 'Alter' | 'Describe' | 'DescribeConfigs' | 'AlterConfigs';

/** `address`: `host:port` at which the broker wants to be reached. */
export type KnownBroker = { readonly id: number; readonly address: string };

export type BrokerInspection = {
  /** those of the environment, `host:port` */
  readonly addresses: readonly string[];
  /** how we log in, for people */
  readonly login: string;
  /** who we log in as; undefined where the settings do not say */
  readonly user: string | undefined;
  /** Connects and logs in. `lacking`: requests of ours that the broker does not offer, a sentence each. @throws Failure */
  reach(
    address: string,
    signal: AbortSignal,
  ): Promise<{ readonly clusterId: string; readonly lacking: readonly string[] }>;
  /** The brokers that are up. @throws Failure */
  cluster(
    signal: AbortSignal,
  ): Promise<{ readonly brokers: readonly KnownBroker[]; readonly allowed: ReadonlySet<Operation> }>;
  /** @returns values by key; @throws Failure */
  configs(
    broker: KnownBroker,
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string | null> | 'forbidden'>;
  /** What we may do with topics. `'absent'`: there is none of that name; `'hidden'`: it may not be described. @throws Failure */
  topics(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ReadonlySet<Operation> | 'absent' | 'hidden'>>;
  /** Asks the brokers whether they would let us create topics of these names; creates none. @returns those denied */
  mayNotCreate(names: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
};

/** What the forwarder says of itself. */
export type ForwarderHealth = {
  /** what keeps it from its work, a line each; empty when ready */
  readonly problems: readonly string[];
  /** names that the queue has not taken yet */
  readonly keysWaiting: number;
  /** objects that it knows */
  readonly objects: number;
  /** when the tick queue took its last tick, RFC 3339; absent before the first */
  readonly lastTick?: string;
};
