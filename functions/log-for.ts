/** The log of a program of ours, made before its settings are read as a whole: it has to tell what is wrong with them. */
import { createLogger, type Level, type Logger } from './adapters/log.ts';
import { lookalikes } from './settings/lookalikes.ts';
import { type Env, settingsIn } from './settings/read.ts';
import type { Reader } from './settings/table.ts';

/**
 * A logger at the level of `LOG_LEVEL` (`info` where that is wrong), which has already warned of each variable that looks
 * like a setting and is none.
 *
 * @param write takes a line with its newline; default: standard error
 */
export function logFor(env: Env, reader: Reader, write?: (line: string) => void): Logger {
  const { LOG_LEVEL: level } = settingsIn(env, reader, ['LOG_LEVEL']).values as { LOG_LEVEL?: Level };
  const log = createLogger({ level, ...(write && { write }) });
  for (const { variable, meant } of lookalikes(env)) log.warn('setting-unknown', { variable, meant });
  return log;
}
