/** Java programs from Maven artifacts. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Artifact } from './artifacts.ts';
import { endedWithUs } from './ending.ts';
import type { Part, Place } from './part.ts';
import { endAll, identify, run } from './process.ts';

/**
 * Runs the programs of the jars once, as they are run ever after.
 *
 * @param place with an empty directory
 * @param recording gives the environment that a program is to have, by a name of one's choice
 */
export type Rehearsal = (
  jarDirectory: string,
  place: Place,
  recording: (program: string) => NodeJS.ProcessEnv,
) => Promise<void>;

/** The jars that a pom.xml names, with all they need at run time, each once, and the archive of their classes. */
export function jars(name: string, pom: string, rehearse: Rehearsal): Artifact {
  return {
    name,
    doing: 'fetching its jars with Maven, and preparing their classes (once)',
    sources: [pom],
    key: 'jars and classes',
    tools: ['java', 'maven'],
    lock: 'maven', // two Mavens at once can spoil their common local repository
    build: (into, signal) =>
      run('mvn', ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${into}`], { signal }),
    finish: (place, signal) => archiveClasses(place, rehearse, signal),
  };
}

/** A JVM writes down the end of its list of classes when it ends by itself. */
export const endSoftly = (parts: readonly Part[]): Promise<void> =>
  endAll(
    parts.flatMap(({ pid = 0 }) => identify(pid) ?? []),
    30_000,
  );

const archive = 'classes.jsa';

/**
 * Class data sharing: classes that are loaded, checked and linked already come from one file, which halves the processor
 * time of a start. The file holds the paths of the jars, and a JVM of another version does without it.
 *
 * @see JEP 310
 */
async function archiveClasses(place: string, rehearse: Rehearsal, signal: AbortSignal | undefined): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'topicsmith-classes-'));
  const recording = (program: string) => ({
    ...process.env,
    JDK_JAVA_OPTIONS: `${process.env.JDK_JAVA_OPTIONS ?? ''} "-XX:DumpLoadedClassList=${join(dir, `${program}.classes`)}"`,
  });
  const endWithUs = endedWithUs();
  try {
    await rehearse(place, { dir, signal, onSpawn: (_, id) => endWithUs(id) }, recording);
    const classes = join(dir, 'all');
    writeFileSync(classes, allClasses(dir));
    const made = join(place, `${archive}.incomplete`);
    const dump = ['-Xshare:dump', `-XX:SharedClassListFile=${classes}`, `-XX:SharedArchiveFile=${made}`];
    await run('java', ['-XX:+UseSerialGC', ...dump, '-cp', `${place}/*`], { signal });
    renameSync(made, join(place, archive));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function allClasses(dir: string): string {
  const lists = readdirSync(dir).filter((name) => name.endsWith('.classes'));
  const lines = lists.flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n'));
  return [...new Set(lines)].join('\n');
}

/**
 * Arguments of `java` in front of the main class.
 *
 * Only the first compiler: it halves the processor time of a start (Kafka 7.1 → 4.4 s, ElasticMQ 5.6 → 3.3 s), and what
 * these servers do here never runs long enough to earn the second one's work back.
 *
 * @param jarDirectory as `obtain(jars(...))` gives it
 * @param megabytes largest heap
 */
export const javaArgs = (jarDirectory: string, megabytes: number): string[] => [
  '-cp',
  `${jarDirectory}/*`,
  `-Xmx${megabytes}m`,
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  `-XX:SharedArchiveFile=${join(jarDirectory, archive)}`,
];
