/** Variables that nobody reads, and whose names look like those of settings. */
import type { Env } from './read.ts';
import { type Name, names } from './table.ts';

export type Lookalike = { readonly variable: string; readonly meant: Name };

/**
 * Names in the environment that are probably meant to be settings: one or two letters away from one (`KAFKA_BROKER`), or
 * made of some of its words (`RESYNC_INTERVAL`). Values are not looked at.
 */
export function lookalikes(env: Env): readonly Lookalike[] {
  return Object.keys(env).flatMap((variable) => {
    if (!env[variable] || names.includes(variable as Name)) return [];
    const near = names.filter((name) => variable.startsWith(name.slice(0, 3)));
    const meant = near.find((name) => distance(variable, name) <= 2) ?? near.find((name) => isPart(variable, name));
    return meant === undefined ? [] : [{ variable, meant }];
  });
}

/** Two words at least, the first of them the same: other programs have variables too. */
function isPart(variable: string, name: Name): boolean {
  const [words, wanted] = [variable.split('_'), name.split('_')];
  return words.length > 1 && words[0] === wanted[0] && words.every((word) => wanted.includes(word));
}

/** Letters to insert, take out or replace (Levenshtein); 3 where the lengths alone say that it is more than 2. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let before = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...a].entries()) {
    const next = [row + 1];
    for (const [column, other] of [...b].entries())
      next.push(
        Math.min(
          (before[column] ?? 0) + (letter === other ? 0 : 1),
          (before[column + 1] ?? 0) + 1,
          (next[column] ?? 0) + 1,
        ),
      );
    before = next;
  }
  return before[b.length] ?? 0;
}
