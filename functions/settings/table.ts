/**
 * All environment variables, in the order in which the README has them: what each holds, who reads it, what holds where it
 * is not set. Everything follows from this table: types, checks at start, the README's section. Empty is not set.
 */
import { type Danger, defaultApprovals } from '../core/installation.ts';
import type { Kind } from './kinds.ts';
import * as kinds from './kinds.ts';

export type Reader = 'forwarder' | 'reconcile' | 'resync' | 'runner' | 'cli';

export type Setting = {
  readonly area: 'Kubernetes' | 'Kafka' | 'Queues' | 'Topics' | 'Processes';
  readonly kind: Kind<unknown>;
  readonly readers: readonly Reader[];
  /** readers that cannot do without it */
  readonly required?: readonly Reader[];
  /** the value that holds where it is not set */
  readonly fallback?: unknown;
  /** what holds where it is not set, in words */
  readonly otherwise?: string;
  /** whoever mixes something up may have put a secret there, so its value is printed nowhere */
  readonly secret?: true;
  readonly meaning: string;
};

const functions = ['reconcile', 'resync'] as const;
const workers = ['forwarder', ...functions] as const;
const looking = [...functions, 'cli'] as const;
const all = [...workers, 'cli'] as const;

const usualApprovals: ReadonlySet<Danger> = defaultApprovals;

export const settings = {
  KUBECONFIG: {
    area: 'Kubernetes',
    kind: kinds.file,
    readers: all,
    otherwise: '`~/.kube/config`, then the service account of the pod',
    secret: true,
    meaning: 'kubeconfig with the address of the API server and the identity to use there',
  },
  KUBECONFIG_FORWARDER: {
    area: 'Kubernetes',
    kind: kinds.file,
    readers: ['cli'],
    otherwise: '`doctor` asks about it as yourself',
    secret: true,
    meaning: "the forwarder's kubeconfig, with which `doctor` asks what it may do",
  },
  KUBECONFIG_RECONCILER: {
    area: 'Kubernetes',
    kind: kinds.file,
    readers: ['runner', 'cli'],
    otherwise: '`KUBECONFIG`',
    secret: true,
    meaning: '`KUBECONFIG` of the function `reconcile`',
  },
  KUBECONFIG_RESYNC: {
    area: 'Kubernetes',
    kind: kinds.file,
    readers: ['runner', 'cli'],
    otherwise: '`KUBECONFIG`',
    secret: true,
    meaning: '`KUBECONFIG` of the function `resync`',
  },
  EKS_CLUSTER_NAME: {
    area: 'Kubernetes',
    kind: kinds.eksCluster,
    readers: all,
    otherwise: '`KUBECONFIG`',
    meaning: 'an EKS cluster, in place of a kubeconfig: we sign its tokens with our AWS credentials',
  },
  KUBE_API_SERVER: {
    area: 'Kubernetes',
    kind: kinds.httpsUrl,
    readers: all,
    otherwise: '`KUBECONFIG`',
    meaning: 'its address (`cluster.endpoint` of `aws eks describe-cluster`)',
  },
  KUBE_CA_DATA: {
    area: 'Kubernetes',
    kind: kinds.authorityData,
    readers: all,
    otherwise: '`KUBECONFIG`',
    meaning: 'the only authority its certificate may come from (`cluster.certificateAuthority.data`)',
  },
  WATCH_NAMESPACES: {
    area: 'Kubernetes',
    kind: kinds.namespaces,
    readers: all,
    fallback: [],
    otherwise: 'all',
    meaning: 'namespaces this installation is for',
  },
  WATCH_LABEL_SELECTOR: {
    area: 'Kubernetes',
    kind: kinds.selector,
    readers: all,
    fallback: () => true,
    otherwise: 'all',
    meaning: "objects this installation is for, as kubectl's `-l`",
  },

  KAFKA_BROKERS: {
    area: 'Kafka',
    kind: kinds.brokers,
    readers: looking,
    required: looking,
    meaning: 'some of the brokers; the others are learned from them',
  },
  KAFKA_CLUSTER_ID: {
    area: 'Kafka',
    kind: kinds.line,
    readers: looking,
    otherwise: 'any',
    meaning: 'the only cluster this installation is for',
  },
  KAFKA_CLIENT_ID: {
    area: 'Kafka',
    kind: kinds.line,
    readers: looking,
    fallback: 'topicsmith',
    meaning: "our name in the brokers' logs and quotas",
  },
  KAFKA_TLS: {
    area: 'Kafka',
    kind: kinds.flag,
    readers: looking,
    fallback: false,
    meaning: 'whether to speak TLS; certificates are always verified',
  },
  KAFKA_CA_FILE: {
    area: 'Kafka',
    kind: kinds.file,
    readers: looking,
    otherwise: 'the well-known authorities',
    secret: true,
    meaning: "PEM of the authority that signed the brokers' certificates",
  },
  KAFKA_CERT_FILE: {
    area: 'Kafka',
    kind: kinds.file,
    readers: looking,
    otherwise: 'none',
    secret: true,
    meaning: 'PEM of our own certificate (mTLS)',
  },
  KAFKA_KEY_FILE: {
    area: 'Kafka',
    kind: kinds.file,
    readers: looking,
    otherwise: 'none',
    secret: true,
    meaning: 'PEM of its private key',
  },
  KAFKA_SASL_MECHANISM: {
    area: 'Kafka',
    kind: kinds.choice('PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'AWS_MSK_IAM'),
    readers: looking,
    otherwise: 'no login',
    meaning: 'how to log in; all but `SCRAM-…` need TLS. `AWS_MSK_IAM`: with our AWS credentials',
  },
  KAFKA_SASL_USERNAME: {
    area: 'Kafka',
    kind: kinds.line,
    readers: looking,
    otherwise: 'none',
    meaning: 'for `PLAIN` and `SCRAM-…`',
  },
  KAFKA_SASL_PASSWORD_FILE: {
    area: 'Kafka',
    kind: kinds.file,
    readers: looking,
    otherwise: 'none',
    secret: true,
    meaning: 'its password; read at each login, so that a new one is found',
  },
  KAFKA_SASL_USERNAME_RESYNC: {
    area: 'Kafka',
    kind: kinds.line,
    readers: ['runner'],
    otherwise: '`KAFKA_SASL_USERNAME`',
    meaning: '`KAFKA_SASL_USERNAME` of the function `resync`, which needs fewer rights',
  },
  KAFKA_SASL_PASSWORD_FILE_RESYNC: {
    area: 'Kafka',
    kind: kinds.file,
    readers: ['runner'],
    otherwise: '`KAFKA_SASL_PASSWORD_FILE`',
    secret: true,
    meaning: 'its password',
  },
  KAFKA_SASL_TOKEN_FILE: {
    area: 'Kafka',
    kind: kinds.file,
    readers: looking,
    otherwise: 'none',
    secret: true,
    meaning: 'for `OAUTHBEARER`: a token that somebody keeps fresh; read at each login',
  },
  KAFKA_SECRET_ARN: {
    area: 'Kafka',
    kind: kinds.secretArn,
    readers: looking,
    otherwise: 'the files',
    meaning:
      'a secret in Secrets Manager with what the login needs: JSON with some of `username`, `password`, `certificate`, `privateKey`, `privateKeyPassphrase`, `ca`',
  },

  RECONCILE_QUEUE_URL: {
    area: 'Queues',
    kind: kinds.webUrl,
    readers: all,
    required: workers,
    otherwise: 'commands that send or count say so',
    meaning: 'the queue of names to look at',
  },
  RECONCILE_DLQ_URL: {
    area: 'Queues',
    kind: kinds.webUrl,
    readers: ['cli'],
    otherwise: 'commands that need it say so',
    meaning: 'its dead-letter queue',
  },
  TICK_QUEUE_URL: {
    area: 'Queues',
    kind: kinds.webUrl,
    readers: ['forwarder', 'resync', 'cli'],
    required: ['forwarder', 'resync'],
    otherwise: 'commands that need it say so',
    meaning: 'the queue of resync ticks',
  },
  TICK_DLQ_URL: {
    area: 'Queues',
    kind: kinds.webUrl,
    readers: ['cli'],
    otherwise: 'commands that need it say so',
    meaning: 'its dead-letter queue',
  },
  MAX_RECEIVE_COUNT: {
    area: 'Queues',
    kind: kinds.wholeNumber(1),
    readers: functions,
    required: functions,
    meaning: "`maxReceiveCount` of the function's queue; serverless.yml sets it",
  },
  SQS_ENDPOINT: {
    area: 'Queues',
    kind: kinds.webUrl,
    readers: [...all, 'runner'],
    otherwise: 'Amazon SQS in `AWS_REGION`',
    meaning: 'a server that speaks like SQS, as ElasticMQ does',
  },
  SQS_CA_FILE: {
    area: 'Queues',
    kind: kinds.file,
    readers: [...all, 'runner'],
    otherwise: 'the well-known authorities',
    secret: true,
    meaning: 'PEM of the authority that signed the certificate of `SQS_ENDPOINT`',
  },
  SQS_ALLOW_HTTP: {
    area: 'Queues',
    kind: kinds.flag,
    readers: [...all, 'runner'],
    fallback: false,
    meaning: 'whether plain http may go to queues on other machines: in a network that is trusted only',
  },
  AWS_REGION: {
    area: 'Queues',
    kind: kinds.line,
    readers: [...all, 'runner'],
    otherwise: "the AWS SDK's usual chain, as for credentials",
    meaning: 'region of the queues, the EKS cluster and MSK',
  },
  AWS_PROFILE: {
    area: 'Queues',
    kind: kinds.line,
    readers: ['cli'],
    otherwise: "the AWS SDK's usual chain",
    meaning: 'profile with the credentials to use; `--profile` sets it',
  },

  APPROVAL_REQUIRED: {
    area: 'Topics',
    kind: kinds.approvals,
    readers: looking,
    fallback: usualApprovals,
    otherwise: 'all but `ReduceReplicas` and `ReduceMinInsync`',
    meaning: 'changes that wait for approval',
  },
  REASSIGNMENT_BYTES_PER_SECOND: {
    area: 'Topics',
    kind: kinds.wholeNumber(1),
    readers: looking,
    otherwise: 'no limit',
    meaning: 'limit on the traffic of moving replicas, for each broker',
  },
  RESYNC_INTERVAL_SECONDS: {
    area: 'Topics',
    kind: kinds.wholeNumber(1, 86_400),
    readers: ['forwarder'],
    fallback: 300,
    meaning: 'time between ticks, which find drift',
  },

  LOG_LEVEL: {
    area: 'Processes',
    kind: kinds.choice('debug', 'info', 'warn', 'error'),
    readers: [...workers, 'runner'],
    fallback: 'info',
    meaning: 'the lowest level that is written',
  },
  METRICS_NAMESPACE: {
    area: 'Processes',
    kind: kinds.metricsNamespace,
    readers: functions,
    fallback: 'Topicsmith',
    meaning: 'of the figures in CloudWatch; `none`: no figures',
  },
  METRICS_HOST: {
    area: 'Processes',
    kind: kinds.host,
    readers: ['forwarder', 'runner'],
    fallback: '127.0.0.1',
    meaning: 'address on which pages about health and figures are served',
  },
  METRICS_PORT: {
    area: 'Processes',
    kind: kinds.wholeNumber(0, 65_535),
    readers: ['forwarder', 'runner'],
    otherwise: 'the forwarder takes a free one, which its log has; the runner serves no pages',
    meaning: 'its port',
  },
  FORWARDER_URL: {
    area: 'Processes',
    kind: kinds.webUrl,
    readers: ['cli'],
    otherwise: 'the forwarder is not asked',
    meaning: "address of the forwarder's pages, for `doctor` and `status`",
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type Name = keyof typeof settings;
export const names = Object.keys(settings) as Name[];

/** The names that a reader reads. */
export type NameOf<R extends Reader> = {
  [N in Name]: R extends (typeof settings)[N]['readers'][number] ? N : never;
}[Name];

export const namesOf = <R extends Reader>(reader: R): readonly NameOf<R>[] =>
  names.filter((name): name is NameOf<R> => (settings[name].readers as readonly Reader[]).includes(reader));

type Read<S> = S extends { kind: Kind<infer T> } ? T : never;
type Sure<S, R> = S extends { fallback: unknown }
  ? true
  : S extends { required: readonly (infer Q)[] }
    ? R extends Q
      ? true
      : false
    : false;

/** What a reader gets, by the names of the variables; undefined where nothing is set and nothing else holds. */
export type Settings<R extends Reader, N extends NameOf<R> = NameOf<R>> = {
  readonly [K in N]: Read<(typeof settings)[K]> | (Sure<(typeof settings)[K], R> extends true ? never : undefined);
};
