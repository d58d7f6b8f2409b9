/** Structured logging: one JSON object per line, so that no value can break a line or pose as another. */
import { harmless } from '../core/harmless.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof levels)[number];

/** Values beside the event. Only text, numbers, booleans, lists of them and errors are written; see {@link createLogger}. */
export type Fields = Readonly<Record<string, unknown>>;
export type Logger = { readonly [L in Level]: (event: string, fields?: Fields) => void };

/**
 * A logger that writes `{"time","level","event",…fields}` lines.
 *
 * Errors are reduced to name, code and message (with their causes): never their other properties, which may hold
 * requests and credentials. For the same reason other objects are written by their type only.
 *
 * @param options.level the lowest level written: `debug`, `info` (default), `warn` or `error`
 * @param options.write takes one line including its newline; default: standard error, which leaves standard output to
 *   results
 */
export function createLogger(options: { level?: Level | undefined; write?: (line: string) => void } = {}): Logger {
  const { level = 'info', write = (line) => void process.stderr.write(line) } = options;
  const lowest = levels.indexOf(level);
  const at =
    (name: Level): Logger[Level] =>
    (event, fields = {}) => {
      if (levels.indexOf(name) < lowest) return;
      const plainFields = Object.entries(fields).map(([field, value]) => [field, plain(value)]);
      const head = { time: new Date().toISOString(), level: name, event };
      // JSON leaves most characters that a terminal obeys as they are; escaped they are the same text to who parses it
      write(`${harmless(JSON.stringify({ ...head, ...Object.fromEntries(plainFields), ...head }))}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** An error in one line: name, code and message, then its causes (three at most). */
export function errorText(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : typeName(error);
  const code =
    'code' in error && typeof error.code === 'string' && !error.message.includes(error.code) ? error.code : '';
  const text = [error.name, code, error.message].filter((part) => part !== '').join(': ');
  return error.cause === undefined || depth === 3 ? text : `${text} (${errorText(error.cause, depth + 1)})`;
}

function plain(value: unknown): unknown {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof Error ? errorText(value) : typeName(value);
}

const typeName = (value: unknown): string =>
  typeof value === 'bigint' ? String(value) : Object.prototype.toString.call(value);
