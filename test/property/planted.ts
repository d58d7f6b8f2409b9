/** Bugs that somebody could write, each a small change to one file of the core: see `planted.long.test.ts`. */
export type Planted = {
  /** what goes wrong, and why that is dangerous */
  readonly reason: string;
  /** below `functions/core/` */
  readonly file: string;
  /** stands in the file exactly once */
  readonly find: string;
  readonly replace: string;
};

export const planted: readonly Planted[] = [
  {
    reason: 'the finalizer goes although the topic could not be deleted: nobody is left to delete it',
    file: 'apply.ts',
    find: "{ types: ['DeleteTopic'], foundation: true,",
    replace: "{ types: ['DeleteTopic'], foundation: false,",
  },
  {
    reason: 'the finalizer is stored after the topic is made: a crash in between leaks the topic',
    file: 'plan.ts',
    find: 'return planned([...finalizerActions(situation, spec), create]);',
    replace: 'return planned([create]);',
  },
  {
    reason: 'an object whose topic was replaced deletes the new one, which is somebody else’s',
    file: 'deletion.ts',
    find: 'if (bound !== observed.id) return { ...release, unsure: true };',
    replace: '',
  },
  {
    reason: 'a topic is deleted under an heir that uses it too',
    file: 'deletion.ts',
    find: 'if (heirs(claimants ?? [], resource.uid).length > 0) return release;',
    replace: '',
  },
  {
    reason: 'records that were there before the object are deleted with it, and nobody was asked',
    file: 'deletion.ts',
    find: "?.origin !== 'Created' && records !== 'none'",
    replace: "?.origin !== 'Created' && records === undefined",
  },
  {
    reason: 'records that could not be read count as none: retention is cut over them',
    file: 'differences.ts',
    find: "const empty = observed.records === 'none';",
    replace: "const empty = observed.records !== 'some';",
  },
  {
    reason: 'growing a compacted topic needs no leave: keys move away from their old values',
    file: 'differences.ts',
    find: "const risky = observed.records !== 'none' && compacts(effectiveCleanupPolicy(observed));",
    replace: 'const risky = false;',
  },
  {
    reason: 'an approval outlives the edit that it was for: the hash leaves out the generation',
    file: 'approval.ts',
    find: 'const facts = [uid, String(generation), topicIdOf',
    replace: 'const facts = [uid, topicIdOf',
  },
  {
    reason: 'an approval is for whatever is planned now: any hash will do',
    file: 'approval.ts',
    find: 'if (resource.approvedHash === asked.hash) return',
    replace: 'if (resource.approvedHash !== undefined) return',
  },
  {
    reason: 'in mode Plan only what is destructive waits',
    file: 'approval.ts',
    find: "resource.mode === 'Plan' ? (action: Action) => !needsNoLeave(action)",
    replace: "resource.mode === ('Never' as string) ? (action: Action) => !needsNoLeave(action)",
  },
  {
    reason: 'an object takes over a topic that an older one is about to bind: two owners',
    file: 'plan.ts',
    find: `  if (owner === undefined) return refused(notListed(resource.topicName));
  if (owner.uid !== resource.uid) return refused(conflict(resource.topicName, owner.key));
  const finalizers`,
    replace: `  if (owner === undefined) return refused(notListed(resource.topicName));
  const finalizers`,
  },
  {
    reason: 'a topic that differs is taken over unasked, and changed',
    file: 'plan.ts',
    find: "const danger = guarded(installation, 'TakeOver', why);",
    replace: 'const danger = harmless;',
  },
  {
    reason: 'a topic that vanished is made again unasked: a loss is hidden behind an empty topic',
    file: 'plan.ts',
    find: "const create: Action = { type: 'CreateTopic', ...guarded(installation, 'RecreateTopic', why) };",
    replace: "const create: Action = { type: 'CreateTopic', ...harmless };",
  },
  {
    reason: 'one look by a broker that lags behind is believed: the object goes, its topic stays',
    file: 'reconciler.ts',
    find: 'const unsure = first.filter(({ plan }) => plan?.unsure);',
    replace: 'const unsure = first.filter(() => false);',
  },
  {
    reason: 'fewer partitions are asked for, and what is refused looks as if it were done',
    file: 'pass.ts',
    find: 'const problems = [...decided.refusals, ...approvalProblem(permission, decided, resource)];',
    replace: 'const problems = [...approvalProblem(permission, decided, resource)];',
  },
  {
    reason: 'a move is asked for before it is stored: after a crash nobody knows whose it is',
    file: 'apply-moves.ts',
    find: `  const stores = await storeAll(going(), writers, signal);
  note(stores);`,
    replace: `  const stores = new Map<string, TopicResource | Failure>();
  if (going().length < 0) note(await storeAll(going(), writers, signal));`,
  },
  {
    reason: 'somebody else’s move is replaced by ours',
    file: 'replication.ts',
    find: `  const moving = replicas.partitions.filter(isMoving);
  if (moving.length > 0)`,
    replace: `  const moving = replicas.partitions.filter(isMoving);
  if (moving.length < 0)`,
  },
  {
    reason: 'the limit on a move stays when it has ended: the brokers copy slowly for ever',
    file: 'apply-moves.ts',
    find: 'const outcomes = await atEachRate(rates, (names, rate) => topics.unlimit(names, rate, signal));',
    replace: "const outcomes = new Map([...rates].map(([name]) => [name, 'done'] as const));",
  },
  {
    reason: 'a limited move is not held by a finalizer: delete the object, and its limit stays',
    file: 'plan.ts',
    find: "const needed = spec.deletionPolicy === 'Delete' || limits;",
    replace: "const needed = spec.deletionPolicy === 'Delete';",
  },
  {
    reason: 'a key that is no longer listed is forgotten and stays on the topic',
    file: 'differences.ts',
    find: "entry.source === 'topic' && !entry.readOnly && (spec.configMode === 'Exact' || before.has(key)),",
    replace: "entry.source === 'topic' && !entry.readOnly && spec.configMode === 'Exact' && !before.has(''),",
  },
  {
    reason: 'a key that the spec leaves to somebody else is reset',
    file: 'differences.ts',
    find: '!spec.config.has(key) && !spec.ignoredConfigs.has(key) && !throttleKeys.has(key)',
    replace: '!spec.config.has(key) && !throttleKeys.has(key)',
  },
  {
    reason: 'objects that are for another installation are worked on',
    file: 'plan.ts',
    find: 'if (!installation.selects(resource.labels)) return planned(releaseActions(resource));',
    replace: '',
  },
  {
    reason: 'an object that only observes says that all is well without comparing',
    file: 'pass.ts',
    find: "return drift.length > 0 ? { kind: 'Drift', drift } : { kind: 'Observed' };",
    replace: "return drift.length > 99 ? { kind: 'Drift', drift } : { kind: 'Observed' };",
  },
  {
    reason: 'a new binding is said to be as specified before anybody has looked',
    file: 'pass.ts',
    find: 'if (!decided?.lookAgain || applied.length === 0) return undefined;',
    replace: 'if (applied.length >= 0) return undefined;',
  },
  {
    reason: 'the status tells the time of the pass: each write wakes somebody, and nothing ever rests',
    file: 'status.ts',
    find: 'before?.status === verdict.status ? before.lastTransitionTime : time',
    replace: 'time',
  },
  {
    reason: 'an obstacle that stands there already is told in every pass',
    file: 'events.ts',
    find: 'if (is === undefined || !waits(is) || (was !== undefined && saysTheSame(was, is))) return [];',
    replace: 'if (is === undefined || !waits(is)) return [];',
  },
  {
    reason: 'a resync looks only for actions: a status that nobody has corrected stays wrong',
    file: 'resync.ts',
    find: "return status !== undefined && !sameStatus(resource.status, status) ? 'pass' : 'nothing';",
    replace: "return 'nothing';",
  },
];
