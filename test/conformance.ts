/**
 * What a KafkaTopic must do, row by row; `npm run verify` looks up the tests that show it.
 *
 * Ids are never used again for something else; a new row takes the next free number.
 */

/** A row is a sentence, and where it is not shown as it was asked for: why. */
export type Row =
  | string
  | {
      readonly what: string;
      /** belongs to a part that is not built yet, and which */
      readonly later?: string;
      /** asked for otherwise, and why it is done like this */
      readonly changed?: string;
    };

export const rows: Readonly<Record<string, Row>> = {
  // Creation
  K001: 'a topic is made exactly as specified; the status has what the broker says',
  K002: "fields left out take the brokers' defaults; the name is the object's",
  K003: 'counts that are not in the spec are neither compared nor sent',
  K004: 'the finalizer is stored before the topic is made',
  K005: 'killed between creation and status: one topic, the same id, bound',
  K006: 'a lost answer, or somebody who was faster: looked at again, nothing overwritten',
  K007: 'a broker that does not know the new topic yet causes no second creation and no alarm',
  K008: 'ten objects in a batch, two of them bad: eight are Ready, only the broken one comes back',
  K009: 'more replicas than brokers: refused, and Ready at a tick once a broker has joined',
  K010: {
    what: 'with one of the brokers down a topic with as many replicas is made',
    changed: 'shown with two brokers and two replicas, where it is the same',
  },
  K011: 'more in-sync replicas than replicas: refused before Kafka is asked',
  K012: 'automatic topic creation on the brokers is warned of once',
  K013: 'may create but not read configs: bound, and the missing right is named',
  // Adoption
  K014: 'an equal topic is taken over without a write to Kafka',
  K015: 'a topic that differs is left alone until somebody approves',
  K016: 'foreign overrides stay with Merge, and are differences with Exact',
  K017: 'a topic with more partitions: refused with both counts, the rest is still offered',
  K018: 'a topic that may not be described is never taken for absent',
  K019: 'another cluster behind the address: nothing is written, finalizers stay',
  K020: 'live topics are imported as observing objects; applied as they are, nothing is written to Kafka',
  // Partitions
  K021: 'partitions grow to exactly what is wanted',
  K022: 'a compacted topic with records grows only after approval',
  K023: 'a shrink is refused, the config beside it applied; the old count makes it Ready again',
  K024: 'whatever is tried, a topic never shrinks by being made anew',
  K025: 'partitions that somebody added are reported once, without a loop',
  K026: 'a growth that somebody else did, or whose answer was lost, is looked at again',
  K027: 'one of several changes is denied: the others are applied, nothing is retried before a tick',
  K028: 'a growth too large for one request is never sent as one',
  K029: 'a first partition count below, equal to or above what is live',
  // Replication factor
  K030: 'a higher replication factor runs as a reassignment with progress in the status',
  K031: 'once all replicas are in sync, throttles and progress go and the object is Ready',
  K032: 'killed at any step of a move, it goes on from the stored one',
  K033: 'a long move never holds up an invocation, nor ends among the dead letters',
  K034: 'fewer replicas: leaders stay, racks stay spread',
  K035: 'replicas, config and partitions in one edit: config at once, partitions after the move',
  K036: 'of a mixed topic only the partitions that deviate are moved',
  K037: 'replicas are spread over racks and brokers, the same way each time',
  K038: 'a broker that is down is no target',
  K039: "somebody else's reassignment is never replaced",
  K040: "somebody else's move does not count as drift, or does the work for us",
  K041: 'a move that is reverted or redirected on its way',
  K042: 'throttles are set, removed, and foreign ones come back',
  K043: 'without the right to move replicas the rest of the edit is still done',
  K044: 'an object that is deleted during its move',
  K045: 'a paused object beside one that moves',
  // Config
  K046: 'a change names the changed key only',
  K047: 'values of every type reach the broker as plain text',
  K048: 'a number that would lose digits is refused, with the advice to quote it',
  K049: 'whole numbers in exponent form are sent as digits',
  K050: 'other spellings of a value are the same value',
  K051: 'cleanup policies are sets',
  K052: 'a bad key stops the configs of its edit and nothing else',
  K053: 'a listed value that equals the inherited one is set once',
  K054: 'changed defaults of the brokers are no drift',
  K055: 'a key that is no longer listed is reset, and no other; held where records would go',
  K056: 'keys of others stay with Merge',
  K057: 'keys of others are drift with Exact',
  K058: 'Merge to Exact and back: foreign keys become drift, and cease to be',
  K059: 'ignored keys keep their live value',
  K060: 'null is refused; client-side apply that drops a key resets it',
  K061: 'what was changed by hand is put back',
  K062: 'replication throttles of others are never touched',
  K063: 'replication throttles that are listed are applied',
  K064: 'a read-only key: in sync when equal, refused without a request when not',
  K065: {
    what: 'a value that the broker withholds is written once for each generation, and shown nowhere',
    changed: 'Kafka itself withholds no topic config: its answers are changed on the way, as for K064 and K066',
  },
  K066: 'a broker that can only replace all configs is not used',
  // Names
  K067: 'names that Kubernetes does not allow',
  K068: 'illegal topic names are refused with the rule, also where the API server lets them in',
  K069: 'a topic name is never changed, removed or added',
  K070: 'a rename that was stored all the same changes nothing, and deletion still completes',
  K071: 'names that differ in . and _ only: one topic, the other object told its rival',
  K072: 'topics of Kafka itself are left alone',
  // Deletion
  K073: {
    what: 'with Retain topic and records outlive the object',
    changed:
      'an object without our finalizer is gone before anybody could tell an Event; one that still has it is told',
  },
  K074: 'with Delete the topic goes by its id, then the finalizer',
  K075: 'an object whose topic is gone already goes too',
  K076: 'another topic under the same name is left alone',
  K077: 'a deletion that is late does not hit a topic made anew',
  K078: 'deleted before it was bound: bound, then deleted; a topic that differs stays',
  K079: 'brokers that do not allow deletion: said, with a way out',
  K080: 'Retain frees an object whose deletion is stuck',
  K081: 'whatever fails while deleting is never taken for gone',
  K082: 'a broker that never confirms a deletion: the invocation ends in time, the message comes back',
  K083: 'our finalizer removed by hand is restored, or the object goes and the topic stays',
  K084: 'the topic stays until ours is the last finalizer',
  K085: { what: 'an uninstallation never deletes topics unasked', later: 'packages to uninstall are not built yet' },
  K086: {
    what: 'a namespace is deleted with all its objects, each by its policy',
    changed: 'the test does the part of the namespace controller, which an API server alone has not',
  },
  K087: 'with the operator gone objects with Retain go at once',
  K088: 'killed around each call of a deletion: one deletion, the object gone',
  K089: 'clocks do not matter to a deletion',
  K178: 'a topic that was taken over goes only empty or after approval',
  // Ownership
  K090: 'of two who want one topic the older has it, whatever the other does',
  K091: 'made in the same second, the one with the lower uid wins each time',
  K092: {
    what: 'made at the same moment: one topic, one owner, one conflict',
    changed: 'a hundred times, not five hundred, to keep the tests short',
  },
  K093: 'who is bound stays owner, also beside an older object',
  K094: 'the newer one, looked at first, writes nothing',
  K095: 'a loser that goes leaves the topic where it is',
  K096: 'when the owner has gone the next one has the topic within a tick',
  K097: 'an owner with Delete hands the topic to who waits',
  K098: 'who observes neither claims nor blocks; who is paused stays owner',
  // Modes
  K099: 'Observe: an absent topic is reported, none is made',
  K100: 'Observe: differences with their first sight, and nothing written',
  K101: 'Observe: the object goes, the topic stays',
  K102: 'Plan: nothing happens before exactly that plan is approved',
  K103: 'Plan: a deletion waits too',
  K104: 'Paused from the start: nothing is looked at; then only the newest spec acts',
  K105: 'Paused later: the binding stays, the brokers are left alone',
  K106: 'Paused and deleted: goes with Retain, waits with Delete',
  K107: 'a topic that vanished or was made anew meanwhile is not replaced in silence',
  K108: 'a held plan, and another mode',
  // Approval
  K109: {
    what: 'shorter retention is held where there are records',
    changed: 'Kafka does not say what lies behind an override of retention.ms: a reset of it shows "inherited"',
  },
  K110: 'shorter retention is applied to an empty topic, held where nobody can tell',
  K111: 'another cleanup policy is held where there are records',
  K112: {
    what: 'unclean elections and the end of tiered storage are held',
    changed: 'brokers without tiered storage: that it is on stands in a changed answer',
  },
  K113: 'fewer copies are held where the installation says so',
  K114: {
    what: 'a topic that vanished is reported; making it anew is held',
    changed: 'the second look comes two seconds after the first, at whichever broker we are connected to',
  },
  K115: 'a topic made anew by others is reported and not written to',
  K116: 'the right hash runs the held plan once, within seconds',
  K117: 'a wrong hash runs nothing, and says so',
  K118: 'after another edit or other facts an approval is void',
  K119: 'the hash stays the same while nothing changes',
  K120: 'an old approval does not count for a new danger',
  K121: 'what is harmless is done at once, and does not change the hash of the rest',
  K122: 'a plan that failed midway goes on under the same approval',
  K123: 'topicsmith approve shows, asks, and sets that hash',
  // Status
  K124: 'conditions by outcome and mode, as kstatus reads them',
  K125: 'a condition has the time of its last flip',
  K126: 'Ready=True is about the present generation, and live is as wanted',
  K127: {
    what: 'brokers away: one write going down, one coming back, and the binding kept',
    changed:
      'only objects that somebody edits meanwhile go down: a tick that cannot look writes nothing, or a broker that is away would cost two writes for each object of the fleet',
  },
  K128: 'what is settled is left alone, tick after tick',
  K129: {
    what: 'a status that could not be written is never swallowed',
    changed: 'it is logged, and not counted yet: metrics of the functions are not built',
  },
  K130: 'a slow worker does not overwrite a newer status, nor that of another object',
  K131: "others' conditions are kept",
  K132: 'texts of brokers are one line, cut and escaped, without secrets',
  K133: 'columns of kubectl get',
  K134: 'one Event for each thing that happened',
  K135: 'the annotation asks for a look and is echoed',
  // Selectors and namespaces
  K136: 'objects without the labels are not managed',
  K137: 'an object that loses the label is let go',
  K138: 'an object that gains the label is managed within a tick',
  K139: 'other namespaces than the watched ones are never asked for',
  K140: 'nothing outside the own namespace and topic is read or written',
  // Resync
  K141: 'without change messages ticks alone bring everything in order',
  K142: 'a watch that breaks in any way is replaced, and no edit is lost',
  K143: 'deleted or made anew while nobody watched',
  K144: 'a queue that refuses: keys are kept, bounded, and sent later',
  K145: 'A to B to A: each edit is a message of its own',
  K146: {
    what: 'an edit does not wait behind a flood of drift',
    changed: 'shown with 150; how long an edit takes with 5,000 is measured (npm run bench -- --fleet-drift 5000)',
  },
  K147: {
    what: 'a tick asks only for what is out of sync',
    changed:
      'what the brokers refused is tried too, as only that shows whether they still would: by each tick for an hour, later about hourly',
  },
  K148: 'two forwarders, overlapping ticks: duplicates at most',
  K149: 'topicsmith drift and plan',
  // Messages
  K150: 'an old message acts on the object of today',
  K151: 'of a batch exactly what failed comes back',
  K152: 'messages that nobody can read end among the dead letters',
  K153: 'the last receive says DeadLettered, the next success clears it',
  K154: {
    what: 'mended by an edit, an object does not wait behind its old back-off',
    changed:
      'it waits for at most about twelve seconds: its message is in one group with the hidden one, which keeps passes on a topic apart',
  },
  K155: 'two workers on one topic, or one that was frozen: one effect',
  K156: 'after an hour without Kafka ticks alone bring everything in order',
  K157: 'dead letters go back beside live edits, none is ever in neither queue, and the counts agree',
  K158: 'topicsmith reconcile',
  // Metrics
  K159: 'counts by outcome and trigger agree with the world; time in the queue and time in the pass, for each object',
  K160: 'gauges count what is managed',
  K161: 'one log line for each applied change',
  K162: {
    what: 'as many series with 10,000 topics as with one',
    changed: 'shown with 150; 10,000 are worked on in memory (test/functions/reconcile.test.ts)',
  },
  K163: {
    what: 'each trouble moves its metric',
  },
  // Bad input
  K164: 'counts and modes out of range are refused with path and allowed values',
  K165: 'unknown fields are refused, or pruned with a warning',
  K166: 'an object as a config value concerns its own object only',
  K167: 'huge input and odd names are refused or plain data, and bounded',
  K168: 'a refused edit that is reverted leaves everything as before',
  K169: 'an object of an older schema can be deleted',
  K170: 'admission policies, and safety without them',
  // Scale and isolation
  K171: {
    what: '10,000 objects in sync: no write, requests by the page',
    changed: 'shown with 1,203; 10,000 are measured (npm run bench -- --resync 10000)',
  },
  K172: {
    what: 'requests to the API server for a creation, an edit, a deletion: 3, 3 and 5 at most',
    changed:
      'a deletion has an Event besides its four; a creation with Delete has a fourth where the API server has no policy that adds finalizers',
  },
  K173: {
    what: 'a topic too large for a request does not take its neighbours down',
    changed:
      'one absurd topic; ten thousand partitions of ordinary ones would fill the machine, their split is tested in the adapter',
  },
  K174: {
    what: '10,000 objects at once',
    changed: 'shown with 150; 10,000 are measured (npm run bench -- --resync 10000 creates them first)',
  },
  K175: 'a mutation quota delays, and nothing waits in an invocation',
  K176: 'a broken or denied topic concerns its own object only',
  K177: 'a new credential, a dead socket, a restarted broker: one new connection, nobody marked failed',
};
