/** What a wave of equal actions is: shared by all kinds of actions. */
import type { Action } from './action.ts';
import { Failure, type PerItem } from './outcome.ts';
import type { Pass } from './pass.ts';
import type { Replication, Resources, Topics } from './ports.ts';

/** Where actions are carried out. */
export type Writers = {
  readonly resources: Pick<Resources, 'setFinalizer' | 'storeStatus'>;
  readonly topics: Topics & Replication;
};

/** What an action that worked does to its pass. */
export type Effect = (pass: Pass) => Pass;
/** A pass, and those of its actions that this wave is for. */
export type Work = { readonly pass: Pass; readonly actions: readonly Action[] };
export type Wave = {
  readonly types: readonly Action['type'][];
  /** the rest stands on it: a pass whose item failed ends there */
  readonly foundation: boolean;
  /** @returns an entry per pass, by its place in `work` */
  readonly run: (work: readonly Work[], writers: Writers, signal: AbortSignal) => Promise<PerItem<number, Effect>>;
};

/** @returns an entry per pass, by its place in `work`; what the brokers left out has none */
export function byPlace(
  work: readonly Work[],
  entry: (pass: Pass, actions: readonly Action[]) => Effect | Failure | undefined,
): PerItem<number, Effect> {
  const entries = work.map(({ pass, actions }, at) => [at, entry(pass, actions)] as const);
  return new Map(entries.filter((pair): pair is readonly [number, Effect | Failure] => pair[1] !== undefined));
}

/** The effect of an item's own answer. */
export const mapEntry = <T>(
  entry: T | Failure | undefined,
  effect: (value: T) => Effect,
): Effect | Failure | undefined => {
  if (entry === undefined) return undefined;
  return entry instanceof Failure ? entry : effect(entry as T);
};

/** The outcome of an item that an answer left out. */
export const notConfirmed = (): Failure =>
  new Failure('KafkaError', 'the brokers did not answer for this topic', { retryable: true, unanswered: true });
