{{/*
Names begin with the release's, so that a second release can share a cluster, where it leaves out the definition and the policies,
which have fixed names (README). All hold "topicsmith", however long the release's is: the
guards know the service accounts by it.
*/}}
{{- define "topicsmith.name" -}}
{{- $name := .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- if contains "topicsmith" $name -}}{{ $name }}{{- else -}}{{ printf "%s-topicsmith" (.Release.Name | trunc 29 | trimSuffix "-") }}{{- end -}}
{{- end -}}

{{- define "topicsmith.selector" -}}
app.kubernetes.io/name: topicsmith
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "topicsmith.releaseLabels" -}}
app.kubernetes.io/name: topicsmith
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "topicsmith.labels" -}}
{{ include "topicsmith.releaseLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* metadata of an object of the release's namespace: root, component, name */}}
{{- define "topicsmith.metadata" -}}
name: {{ .name | default (printf "%s-%s" (include "topicsmith.name" .root) .component) }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "topicsmith.labels" . | nindent 2 }}
{{- end -}}

{{- define "topicsmith.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* What the pod security standard "restricted" asks for, and a little more. */}}
{{- define "topicsmith.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65534
runAsGroup: 65534
fsGroup: 65534
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "topicsmith.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* The part of a pod's spec that all of ours share: root, component, token */}}
{{- define "topicsmith.pod" -}}
automountServiceAccountToken: {{ .token }}
enableServiceLinks: false
securityContext:
  {{- include "topicsmith.podSecurity" . | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.pods.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.pods.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "topicsmith.selector" . | nindent 8 }}
{{- end -}}

{{/* A container of our image: root */}}
{{- define "topicsmith.container" -}}
image: {{ include "topicsmith.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "topicsmith.containerSecurity" . | nindent 2 }}
{{- end -}}

{{- define "topicsmith.probes" -}}
ports:
  - { name: metrics, containerPort: 8080 }
livenessProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 10
  timeoutSeconds: 5
startupProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 2
  failureThreshold: 30
{{- end -}}

{{/* One environment variable, left out where it has nothing to say. */}}
{{- define "topicsmith.env" -}}
{{- if .value }}
- name: {{ .name }}
  value: {{ .value | toString | quote }}
{{- end }}
{{- end -}}

{{- define "topicsmith.commonEnv" -}}
- name: METRICS_HOST
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
- name: METRICS_PORT
  value: "8080"
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- include "topicsmith.env" (dict "name" "WATCH_NAMESPACES" "value" (join "," .Values.watch.namespaces)) }}
{{- include "topicsmith.env" (dict "name" "WATCH_LABEL_SELECTOR" "value" .Values.watch.labelSelector) }}
{{- include "topicsmith.queueEnv" . }}
{{- end -}}

{{- define "topicsmith.queueHost" -}}
{{ include "topicsmith.name" . }}-elasticmq.{{ .Release.Namespace }}.svc
{{- end -}}

{{/* ElasticMQ looks at no credentials, but the client does not send without. */}}
{{- define "topicsmith.queueEnv" -}}
{{- $queues := .Files.Get "files/queues.json" | fromJson }}
{{- $own := .Values.elasticmq.enabled }}
{{- $endpoint := printf "https://%s:9324" (include "topicsmith.queueHost" .) }}
{{- $url := printf "%s/%s" $endpoint $queues.account }}
{{- include "topicsmith.env" (dict "name" "AWS_REGION" "value" ($own | ternary $queues.region .Values.sqs.region)) }}
{{- include "topicsmith.env" (dict "name" "SQS_ENDPOINT" "value" ($own | ternary $endpoint .Values.sqs.endpoint)) }}
{{- include "topicsmith.env" (dict "name" "RECONCILE_QUEUE_URL" "value" ($own | ternary (printf "%s/%s" $url $queues.names.ReconcileQueue) .Values.sqs.reconcileQueueUrl)) }}
{{- include "topicsmith.env" (dict "name" "TICK_QUEUE_URL" "value" ($own | ternary (printf "%s/%s" $url $queues.names.TickQueue) .Values.sqs.tickQueueUrl)) }}
{{- if $own }}
- name: SQS_CA_FILE
  value: /etc/topicsmith/queues/ca.crt
- name: AWS_ACCESS_KEY_ID
  value: elasticmq
- name: AWS_SECRET_ACCESS_KEY
  value: elasticmq
{{- end }}
{{- end -}}

{{- define "topicsmith.envFrom" -}}
{{- if or .Values.sqs.configMap .Values.sqs.credentialsSecret -}}
envFrom:
  {{- with .Values.sqs.configMap }}
  - configMapRef: { name: {{ . }} }
  {{- end }}
  {{- with .Values.sqs.credentialsSecret }}
  - secretRef: { name: {{ . }} }
  {{- end }}
{{- end }}
{{- end -}}

{{- define "topicsmith.queueTls" -}}
{{ .Values.elasticmq.tlsSecret | default (printf "%s-elasticmq-tls" (include "topicsmith.name" .)) }}
{{- end -}}

{{/* Rules across values, which a schema says badly. */}}
{{- define "topicsmith.check" -}}
{{- $queues := or .Values.elasticmq.enabled .Values.sqs.configMap (and .Values.sqs.reconcileQueueUrl .Values.sqs.tickQueueUrl) }}
{{- if not $queues }}{{ fail "where are the queues? Set sqs.reconcileQueueUrl and sqs.tickQueueUrl (and sqs.region), or elasticmq.enabled=true" }}{{ end }}
{{- if and .Values.elasticmq.enabled (or .Values.sqs.reconcileQueueUrl .Values.sqs.tickQueueUrl .Values.sqs.configMap .Values.sqs.endpoint) }}{{ fail "elasticmq.enabled brings its own queues: leave the values of sqs empty" }}{{ end }}
{{- if and .Values.elasticmq.enabled (not .Values.inCluster.enabled) }}{{ fail "elasticmq.enabled is for functions in the cluster: set inCluster.enabled=true too" }}{{ end }}
{{- if and .Values.inCluster.enabled (not .Values.kafka.brokers) }}{{ fail "inCluster.enabled needs brokers: set kafka.brokers, for example --set kafka.brokers={kafka-bootstrap.kafka.svc:9093}" }}{{ end }}
{{- if and .Values.elasticmq.enabled (or .Values.kafka.secretArn (eq (.Values.kafka.sasl.mechanism | default "") "AWS_MSK_IAM")) }}{{ fail "elasticmq.enabled takes the AWS credentials of the pods for itself: with MSK IAM or kafka.secretArn use queues on AWS (sqs.*)" }}{{ end }}
{{- if and .Values.policies.finalizer .Values.watch.labelSelector }}{{ fail "policies.finalizer would put finalizers on objects that watch.labelSelector leaves out: use one of the two" }}{{ end }}
{{- range $key, $value := .Values.kafka.secret.keys }}
{{- if and $value (not $.Values.kafka.secret.name) }}{{ fail (printf "kafka.secret.keys.%s needs kafka.secret.name, the Secret that has it" $key) }}{{ end }}
{{- end }}
{{- end -}}

{{/* Of the queue server's certificate only the authority, to trust it by. */}}
{{- define "topicsmith.queueVolume" -}}
- name: queues
  secret:
    secretName: {{ include "topicsmith.queueTls" . }}
    defaultMode: 0440
    items:
      - { key: ca.crt, path: ca.crt }
{{- end -}}

{{/* One rule of egress: to, ports, udp */}}
{{- define "topicsmith.egress" -}}
- ports:
    {{- range .ports | uniq }}
    - { port: {{ . }} }
    {{- if $.udp }}
    - { port: {{ . }}, protocol: UDP }
    {{- end }}
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
