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

/**
 * Somebody else's text made fit for a status, an Event or an error: {@link harmless}, one line, short, and without what is
 * called a secret in it.
 *
 * @param longest UTF-16 units of the result, the ellipsis of a cut among them; no character and no escape is cut through
 */
export function oneLine(text: string, longest = 300): string {
  const line = harmless(
    text
      .slice(0, 10 * longest)
      .replace(secret, '$<name>***')
      .replace(/\s+/g, ' ')
      .trim(),
  );
  return line.length <= longest ? line : `${line.slice(0, longest - 1).replace(halfAtTheEnd, '')}…`;
}

/**
 * `password = "x"`, `"token": "x"`, `Bearer x`: brokers repeat settings, proxies whole requests. Names of ours may end in
 * `_FILE`, and `secretsmanager:` begins a right.
 */
const secret =
  /(?<name>(?:(?:password|passwd|secret|token|credential|api-?key)\w{0,20}(?<!_FILE|_ARN|secretsmanager)["']?\s{0,3}[=:]|\bbearer)\s{0,3})(?:"[^"]*"?|'[^']*'?|[^\s"',;]+)/gi;

/** Of a character, or of an escape. */
const halfAtTheEnd = /[\ud800-\udbff]$|\\(u[0-9a-f]{0,3})?$/;

/** JSON knows 16 bits at a time. */
const asInJson = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
