/** Asking before something is done that cannot be taken back. */
import { Problem, type Shell } from './command.ts';

/**
 * Asks at the terminal, unless `yes` says that somebody has agreed already.
 *
 * @param verb what `--yes` does, for those who have no terminal
 * @throws Problem when nobody agrees, or nobody is there to ask
 */
export async function consent(
  { ask }: Shell,
  { yes }: { readonly yes?: boolean },
  { question, verb, refused }: { readonly question: string; readonly verb: string; readonly refused: string },
): Promise<void> {
  if (yes) return;
  refuseUnattended(ask, verb);
  if (!/^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim())) throw new Problem(`nothing was changed: ${refused}`);
}

/** @throws Problem where nobody is there to ask */
export function refuseUnattended(ask: Shell['ask'], verb: string): asserts ask is NonNullable<Shell['ask']> {
  if (ask === undefined)
    throw new Problem(`nothing was changed: there is no terminal to ask at; --yes ${verb} without asking`);
}
