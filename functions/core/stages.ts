import type { Logger } from './ports.ts';

export type StageName = 'read' | 'look' | 'plan' | 'apply' | 'report';

/** What came of a stage, by `keyOf` of the object. */
export type StageLines = Iterable<readonly [key: string, fields: Readonly<Record<string, unknown>>]>;

/** Runs a stage of a call. @param lines says what came of it, for each of its objects */
export type Stage = <T>(name: StageName, run: () => Promise<T>, lines: (result: T) => StageLines) => Promise<T>;

/** For those whom nobody asks about time. */
export const untold: Stage = (_, run) => run();

/**
 * Stages that leave a line for each object, at `debug`: for whoever has to find out where the time of a pass goes.
 *
 * @param about what all lines about an object say
 * @returns `tookMs` is of the whole stage: objects share it, `together` says how many
 */
export function stages(about: ReadonlyMap<string, object>, now: () => Date, log: Logger): Stage {
  return async (stage, run, lines) => {
    const startedAt = now().getTime();
    const result = await run();
    const tookMs = now().getTime() - startedAt;
    const told = [...lines(result)];
    for (const [key, fields] of told)
      log.debug('stage', { ...about.get(key), stage, ...fields, tookMs, together: told.length });
    return result;
  };
}
