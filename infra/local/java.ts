/** Java programs from Maven artifacts. */
import type { Artifact } from './artifacts.ts';
import { run } from './process.ts';

/** The jars that a pom.xml names, with all they need at run time, each once. */
export function jars(name: string, pom: string): Artifact {
  return {
    name,
    doing: 'fetching its jars with Maven (once)',
    sources: [pom],
    key: 'jars',
    tools: ['java', 'maven'],
    lock: 'maven', // two Mavens at once can spoil their common local repository
    build: (into, signal) =>
      run('mvn', ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${into}`], { signal }),
  };
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
  '-Xshare:auto',
];
