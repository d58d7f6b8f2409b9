import { reasons } from '../../functions/core/schema/reasons.ts';

/** What to be told of. `todo` begins with what to look at; `runbook` is an anchor of the README. */
export type Alert = {
  readonly name: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly expr: string;
  /** how long it has to be so */
  readonly lasts: string;
  readonly summary: string;
  readonly todo: string;
  readonly runbook: string;
};

const notReady = 'a-topic-is-not-ready-what-now';
const deadLetters = 'drain-the-dead-letters';

/** Reasons that somebody has to decide on, but for drift that is only to be observed. */
const decisions = Object.entries(reasons)
  .filter(([reason, { class: kind }]) => kind === 'person' && reason !== 'DriftDetected')
  .map(([reason]) => reason)
  .join('|');

/** States outlive the restart of whoever counts them; several runners may have counted. */
const objects = (matchers: string): string =>
  `max by (namespace, reason) (last_over_time(topicsmith_objects{${matchers}}[15m])) > 0`;

const gone = (metric: string, by: string): string =>
  `count by (${by}) (max_over_time(${metric}[2h])) unless count by (${by}) (${metric})`;

const failed = 'outcome=~"Failed|DeadLettered|StatusNotWritten|Unread"';

/** The forwarder runs wherever Topicsmith does. */
const forwarderAlerts: readonly Alert[] = [
  {
    name: 'TopicsmithForwarderGone',
    severity: 'critical',
    expr: gone('topicsmith_forwarder_ready', 'namespace'),
    lasts: '5m',
    summary: 'No forwarder answers: edits of KafkaTopics are not seen.',
    todo: 'Look at its pods: kubectl get pods, kubectl logs. What is missed meanwhile is found by the first tick of the next one.',
    runbook: notReady,
  },
  {
    name: 'TopicsmithForwarderNotReady',
    severity: 'critical',
    expr: 'max by (namespace) (topicsmith_forwarder_ready) == 0',
    lasts: '5m',
    summary: 'The forwarder cannot do its work: edits wait.',
    todo: 'Its /readyz and its log say what it cannot reach: the API server or a queue. topicsmith doctor says why.',
    runbook: notReady,
  },
  {
    name: 'TopicsmithWatchStale',
    severity: 'warning',
    expr: 'min by (namespace) (topicsmith_forwarder_watch_age_seconds) > 300',
    lasts: '2m',
    summary: 'The API server has told the forwarder nothing for {{ $value | humanizeDuration }}.',
    todo: "A bookmark comes about once a minute. Look at the forwarder's log for link-down, and at the API server.",
    runbook: notReady,
  },
  {
    name: 'TopicsmithNoTick',
    severity: 'warning',
    expr: 'time() - max by (namespace) (topicsmith_forwarder_last_tick_timestamp_seconds) > 900',
    lasts: '2m',
    summary: 'No tick was sent for more than 15 minutes: drift is not found.',
    todo: "The forwarder's log says whether the tick queue takes messages. Raise the limit if RESYNC_INTERVAL_SECONDS is above 600.",
    runbook: notReady,
  },
  {
    name: 'TopicsmithNamesWait',
    severity: 'warning',
    expr: 'max by (namespace) (topicsmith_forwarder_oldest_waiting_seconds) > 120',
    lasts: '1m',
    summary: 'The reconcile queue has not taken a name for {{ $value | humanizeDuration }}.',
    todo: "Nothing is lost, all names are kept. Look at the queue and at the forwarder's rights to send: topicsmith doctor.",
    runbook: notReady,
  },
];

/** Where the functions run in the cluster, and the runner sums up their figures. On Lambda these metrics do not exist. */
const functionAlerts: readonly Alert[] = [
  {
    name: 'TopicsmithRunnerGone',
    severity: 'critical',
    expr: gone('topicsmith_runner_batches_in_work', 'namespace, function'),
    lasts: '5m',
    summary: 'No runner of {{ $labels.function }} answers: its queue is not worked off.',
    todo: 'Look at its pods: kubectl get pods, kubectl logs. Messages stay in the queue until somebody takes them.',
    runbook: notReady,
  },
  {
    name: 'TopicsmithDeadLetters',
    severity: 'warning',
    // a runner on SQS may not be allowed to read the queue itself
    expr: 'max by (namespace, function) (topicsmith_runner_queue_messages{state="dead"}) > 0 or sum by (namespace, function) (increase(topicsmith_messages_total{fate="DeadLettered"}[1h])) > 0',
    lasts: '1m',
    summary: 'There are dead letters of {{ $labels.function }}.',
    todo: 'topicsmith dlq list says why they are there; mend that, then topicsmith dlq replay.',
    runbook: deadLetters,
  },
  {
    name: 'TopicsmithOldestMessage',
    severity: 'warning',
    expr: 'sum by (namespace, function) (increase(topicsmith_oldest_message_seconds_count[10m])) - sum by (namespace, function) (increase(topicsmith_oldest_message_seconds_bucket{le="300"}[10m])) > 0',
    lasts: '5m',
    summary: 'Messages of {{ $labels.function }} are older than five minutes.',
    todo: 'They fail again and again, or there are more than can be worked off. topicsmith status shows queues and reasons.',
    runbook: notReady,
  },
  {
    name: 'TopicsmithQueueNotRead',
    severity: 'critical',
    expr: 'sum by (namespace, function) (increase(topicsmith_runner_queue_failures_total[5m])) > 0',
    lasts: '10m',
    summary: 'The runner cannot use the queue of {{ $labels.function }}.',
    todo: 'Its log has the reason (queue-failed): the address, its rights, or the server.',
    runbook: notReady,
  },
  {
    name: 'TopicsmithInvocationsEndEarly',
    severity: 'warning',
    expr: 'sum by (namespace, function, ending) (increase(topicsmith_runner_invocations_total{ending=~"timeout|crashed|threw"}[15m])) > 0',
    lasts: '0m',
    summary: 'Invocations of {{ $labels.function }} end by {{ $labels.ending }}.',
    todo: "The runner's log has each with its message (event invocation). Their messages come back by themselves; a timeout that repeats means brokers or an API server that hang.",
    runbook: notReady,
  },
  {
    name: 'TopicsmithPassesFail',
    severity: 'warning',
    expr: `sum by (namespace) (rate(topicsmith_passes_total{${failed}}[15m])) / sum by (namespace) (rate(topicsmith_passes_total[15m])) > 0.2`,
    lasts: '10m',
    summary: '{{ $value | humanizePercentage }} of all passes fail.',
    todo: 'Topicsmith dashboard, "What stands in the way", and topicsmith status say by what; one reason at many objects is about the installation.',
    runbook: notReady,
  },
  {
    name: 'TopicsmithObjectsNotReady',
    severity: 'warning',
    expr: objects(`ready!="True",reason!~"Paused|DriftDetected|${decisions}"`),
    lasts: '1h',
    summary: '{{ $value }} objects are not Ready: {{ $labels.reason }}.',
    todo: 'kubectl get kafkatopics -A -o wide has their messages, with what to do.',
    runbook: notReady,
  },
  {
    name: 'TopicsmithApprovalWaits',
    severity: 'info',
    expr: objects(`reason=~"${decisions}"`),
    lasts: '1d',
    summary: '{{ $value }} objects wait for a decision: {{ $labels.reason }}.',
    todo: 'topicsmith plan -A shows what would be done; topicsmith approve NAME releases it, or the edit is taken back.',
    runbook: notReady,
  },
  {
    name: 'TopicsmithTickDoesNotEnd',
    severity: 'warning',
    expr: 'sum by (namespace) (increase(topicsmith_ticks_total[30m])) == 0',
    lasts: '15m',
    summary: 'No tick has come to its end for half an hour: drift is not found.',
    todo: 'The log of resync says why (redelivered, resync-failed). Raise the limit if RESYNC_INTERVAL_SECONDS is above 1200.',
    runbook: notReady,
  },
  {
    name: 'TopicsmithTickIncomplete',
    severity: 'warning',
    expr: 'sum by (namespace) (increase(topicsmith_tick_unread_total[15m])) + sum by (namespace) (increase(topicsmith_tick_unlisted_total[15m])) > 0',
    lasts: '30m',
    summary: 'Ticks cannot see everything: topics that cannot be read, or namespaces that cannot be listed.',
    todo: 'Lines resync and resync-unlisted in the log of resync say which; mostly rights: topicsmith doctor.',
    runbook: notReady,
  },
];

export const alerts: readonly Alert[] = [...forwarderAlerts, ...functionAlerts];

const rule = ({ name, severity, expr, lasts, summary, todo, runbook }: Alert) => ({
  alert: name,
  expr,
  for: lasts,
  labels: { severity },
  annotations: { summary, description: todo, runbook: `README.md#${runbook}` },
});

/** Rule groups as Prometheus reads them; `topicsmith-functions` says something only where the runner works. */
export const rules = () => ({
  groups: [
    { name: 'topicsmith-forwarder', rules: forwarderAlerts.map(rule) },
    { name: 'topicsmith-functions', rules: functionAlerts.map(rule) },
  ],
});
