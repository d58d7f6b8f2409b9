#!/bin/sh
# Gives Topicsmith's two users at the brokers the rights that they need, and no more. For example:
#
#   PREFIX=team-a. infra/kafka-acls.sh --bootstrap-server broker:9092 --command-config admin.properties
#
# Arguments go to kafka-acls of Kafka's download, which has to be on the PATH. Instead of --add, `ACTION="--remove --force"`
# takes the same rights away. Describe and DescribeConfigs come with Alter and AlterConfigs, and Describe with Delete.
set -eu

prefix=${PREFIX:-}                   # what all topic names begin with; empty: they may be any
reconciler=${RECONCILER:-reconciler} # user of the function reconcile, which creates and changes topics
resync=${RESYNC:-resync}             # user of the function resync, which only looks
deletion=${DELETION:-no}             # yes: topics of objects with deletionPolicy Delete may be deleted; no
moves=${MOVES:-no}                   # yes: replicas may be moved; limited: at REASSIGNMENT_BYTES_PER_SECOND, too; no
action=${ACTION:---add}

pattern=prefixed
[ -n "$prefix" ] || { pattern=literal prefix='*'; }

acls() {
  kafka-acls $action "$@"
}

acls "$@" --allow-principal "User:$resync" --operation Describe --operation DescribeConfigs \
  --resource-pattern-type "$pattern" --topic "$prefix"
acls "$@" --allow-principal "User:$reconciler" --operation Create --operation Alter --operation AlterConfigs \
  --resource-pattern-type "$pattern" --topic "$prefix"
[ "$deletion" != yes ] || acls "$@" --allow-principal "User:$reconciler" --operation Delete \
  --resource-pattern-type "$pattern" --topic "$prefix"
if [ "$moves" != no ]; then
  acls "$@" --allow-principal "User:$resync" --operation Describe --cluster
  acls "$@" --allow-principal "User:$reconciler" --operation Alter --cluster
fi
[ "$moves" != limited ] || acls "$@" --allow-principal "User:$reconciler" --operation AlterConfigs --cluster
