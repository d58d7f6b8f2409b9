import { createHash } from 'node:crypto';
import { type Action, describe, type Plan } from './action.ts';
import { annotations, shortName } from './api.ts';
import { bindingOf, type HeldAction, type HeldPlan, type TopicResource } from './resource.ts';
import type { Situation } from './situation.ts';
import type { ObservedTopic, Refusal } from './topic.ts';

/**
 * What may be done now, and what is held.
 *
 * `waiting`: what the held part needs approval for. `underway`: what was approved and is being done; the object remembers
 * it until it is finished, so that a pass that fails in the middle goes on without asking twice (K122).
 */
export type Permission = {
  readonly now: readonly Action[];
  readonly held: readonly Action[];
  readonly waiting: HeldPlan | undefined;
  readonly underway: HeldPlan | undefined;
};

/**
 * Everything from the first destructive action on is held, unless the object carries the hash of exactly that part. In
 * `Plan` mode every action is; in `Observe` nothing is done and nothing waits. Letting an object go, and ending what was
 * begun, needs nobody's leave.
 */
export function permitted(plan: Plan, situation: Pick<Situation, 'resource' | 'observed'>): Permission {
  const { resource } = situation;
  const { now, held } = split(plan, resource);
  const nothing = { now, held, waiting: undefined, underway: undefined };
  // what waits for a move was approved with it, and is asked for when that has ended
  if (held.length === 0)
    return plan.waitsFor === undefined ? nothing : { ...nothing, underway: approvedBefore(situation) };
  const asked = heldPlan(situation, held, plan.refusals);
  if (resource.approvedHash === asked.hash) return { ...nothing, now: plan.actions, held: [], underway: asked };
  const begun = approvedBefore(situation);
  if (begun !== undefined && held.every((action) => contains(begun, action)))
    return { ...nothing, now: plan.actions, held: [], underway: begun };
  return { ...nothing, waiting: asked };
}

/** What to tell a person about what is held: what, why, and the command that releases it. */
export function approvalProblem({ held, waiting }: Permission, plan: Plan, resource: TopicResource): Refusal[] {
  if (waiting === undefined) return [];
  const more = held.length > maxShown ? ` and ${held.length - maxShown} more` : '';
  const what = `held back: ${held.slice(0, maxShown).map(withReason).join(', ')}${more}`;
  const { namespace, name } = resource.key;
  const command = `kubectl annotate ${shortName} ${name} -n ${namespace} ${annotations.approve}=${waiting.hash} --overwrite`;
  const message = [
    held.some(({ why }) => why !== '') ? what : `${what} (spec.mode Plan holds every action)`,
    ...mismatch(resource),
    `to let it happen: ${command}`,
  ].join('; ');
  return [{ reason: plan.heldReason, message }];
}

const withReason = (action: Action): string =>
  action.why === '' ? describe(action) : `${describe(action)} (${action.why})`;

/** The status lists this many actions; the hash covers all. */
const maxListed = 50;
/** A message names this many. */
const maxShown = 5;
/** Longer values are cut where they are shown; the hash covers all of them. */
const maxValue = 200;

/** Somebody approved something, but not this. The text is a user's: only what can be a hash is repeated. */
function mismatch({ approvedHash }: TopicResource): string[] {
  if (approvedHash === undefined) return [];
  const given = /^[0-9a-f]{1,64}$/.test(approvedHash) ? ` ${approvedHash}` : '';
  return [`the approval${given} on the object does not match this plan`];
}

function split(plan: Plan, resource: TopicResource): { now: readonly Action[]; held: readonly Action[] } {
  const { actions } = plan;
  if (resource.mode === 'Observe') return { now: actions.filter(needsNoLeave), held: [] };
  const waits =
    resource.mode === 'Plan' ? (action: Action) => !needsNoLeave(action) : ({ destructive }: Action) => destructive;
  const first = actions.findIndex(waits);
  return first === -1 ? { now: actions, held: [] } : { now: actions.slice(0, first), held: actions.slice(first) };
}

const needsNoLeave = (action: Action): boolean =>
  action.type === 'RemoveFinalizer' ||
  action.type === 'FinishMove' ||
  (action.type === 'MoveReplicas' && action.resumes);

function heldPlan(
  situation: Pick<Situation, 'resource' | 'observed'>,
  held: readonly Action[],
  refusals: readonly Refusal[],
) {
  const all = held.map(shown);
  const listed = all.slice(0, maxListed);
  return {
    hash: hashOf(situation, all),
    destructive: held.some(({ destructive }) => destructive),
    actions: listed.map(cut),
    refusals,
    ...(all.length > listed.length && { omitted: all.length - listed.length }),
  } satisfies HeldPlan;
}

/**
 * The plan that this object carries and that its annotation approves, if it is still about this generation of this
 * object and this topic. A list that was cut cannot be checked, and is asked about again.
 */
function approvedBefore(situation: Pick<Situation, 'resource' | 'observed'>): HeldPlan | undefined {
  const { status, approvedHash } = situation.resource;
  const plan = status?.plan;
  if (plan === undefined || plan.hash !== approvedHash) return undefined;
  return hashOf(situation, plan.actions) === approvedHash ? plan : undefined;
}

const contains = (plan: HeldPlan, action: Action): boolean => {
  const wanted = identity(shown(action));
  return plan.actions.some((approved) => identity(approved) === wanted);
};

/**
 * Stands for exactly these actions on this generation of this object and on this topic. Records that arrive, the order of
 * keys, and what is done beside them do not change it (design.md 3, K118-K121).
 */
function hashOf(
  { resource, observed }: Pick<Situation, 'resource' | 'observed'>,
  actions: readonly HeldAction[],
): string {
  const { uid, generation } = resource;
  const facts = [uid, String(generation), topicIdOf(resource, observed), ...actions.map(identity).sort()];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}

/** The live topic; where there is none, the one that is missed. */
const topicIdOf = (resource: TopicResource, observed: ObservedTopic | undefined): string =>
  (observed?.exists === true ? observed.id : bindingOf(resource)?.topicId) ?? '';

const identity = ({ type, field = '', from = '', to = '' }: HeldAction): string =>
  JSON.stringify([type, field, from, to]);

/** An action as statuses and people see it: without what only the brokers need to know. */
export function shown(action: Action): HeldAction {
  const { type, destructive, why } = action;
  switch (action.type) {
    case 'SetConfig':
    case 'ResetConfig':
      return { type, field: action.key, from: action.from ?? '***', to: action.to ?? 'inherited', destructive, why };
    case 'AddPartitions':
      return { type, field: 'numPartitions', from: String(action.from), to: String(action.to), destructive, why };
    case 'MoveReplicas':
      return { type, field: 'replicationFactor', from: String(action.from), to: String(action.to), destructive, why };
    case 'BindTopic':
    case 'DeleteTopic':
      return { type, field: 'topicId', to: action.id, destructive, why };
    default:
      return { type, destructive, why };
  }
}

const cut = (action: HeldAction): HeldAction => ({
  ...action,
  ...(action.from !== undefined && { from: cutText(action.from) }),
  ...(action.to !== undefined && { to: cutText(action.to) }),
  why: cutText(action.why),
});

const cutText = (text: string): string => (text.length <= maxValue ? text : `${text.slice(0, maxValue - 1)}…`);
