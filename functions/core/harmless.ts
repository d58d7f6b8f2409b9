/** Text of others, made fit for terminals and statuses. */

/** Control and format characters (those that turn text round among them), lone surrogates, separators of lines. */
const harmful = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * One line that cannot move a cursor, colour what follows, hide, or turn text round: what could is written as an escape.
 *
 * @param written writes one character, by default as JSON does (`\u001b`)
 */
export const harmless = (text: string, written: (character: string) => string = asInJson): string =>
  text.replace(harmful, (character) => written(character));

/** As {@link harmless}, and lines stay lines. */
export const harmlessLines = (text: string, written?: (character: string) => string): string =>
  text
    .split('\n')
    .map((line) => harmless(line, written))
    .join('\n');

/** JSON knows 16 bits at a time. */
const asInJson = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
