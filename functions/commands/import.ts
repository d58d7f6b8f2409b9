/** `topicsmith import`: live topics, or Strimzi's KafkaTopics, as manifests of ours. */
import { Option } from 'commander';
import type { Draft, Manifest } from '../core/manifest.ts';
import { type Key, keyOf, type Mode } from '../core/topic.ts';
import { collected, type ExitCode, examples, Problem, type Register, type Shell, show, type Work } from './command.ts';
import { type Adoption, adoptions, knownObjects } from './import-adoption.ts';
import { type LeftOut, liveTopics, type Sourced, strimziTopics } from './import-sources.ts';

/** `adoption`: what would become of the topic if the manifest were enforced; absent when nobody was asked. */
export type Imported = Key & {
  readonly topic: string;
  readonly manifest: Manifest;
  readonly notes: readonly string[];
  readonly adoption?: Adoption;
};

/** What an import came to. `strimzi`: how many of the topics Strimzi still manages. */
export type ImportSummary = {
  readonly objects: number;
  readonly internal: number;
  readonly leftOut: number;
  readonly strimzi: number;
};

type Options = {
  readonly from: 'kafka' | 'strimzi';
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
  readonly selector?: string;
  readonly mode: Mode;
  readonly toDir?: string;
  readonly report: boolean;
};

export const register: Register = (program, run) => {
  program
    .command('import')
    .argument('[pattern...]', 'names of Kafka topics, with * and ? as in a shell; default: all')
    .summary("write manifests for live topics, or for Strimzi's KafkaTopics")
    .description(
      "Writes manifests for topics that are there, and changes nothing. They observe (spec.mode Observe) until you say otherwise, and a topic outlives its manifest (deletionPolicy Retain). Topics that have a KafkaTopic of ours are left out, as are Kafka's own.\n\nThe manifests go to standard output as YAML, which kubectl apply -f - takes; -o json has them with the report. The report goes to standard error: what has no counterpart, and what would be changed if the manifests were enforced.\n\nExit code: 0 done, 1 something could not be read or written.",
    )
    .addOption(new Option('--from <source>', 'what to begin with').choices(['kafka', 'strimzi']).default('kafka'))
    .option('-f, --filename <path>', "with --from strimzi: files in place of the API server's objects", collected)
    .option('-R, --recursive', 'look for files in subdirectories too')
    .option('-l, --selector <labels>', "with --from strimzi: objects with these labels, as in 'strimzi.io/cluster=a'")
    .addOption(
      new Option('--mode <mode>', 'spec.mode').choices(['Observe', 'Plan', 'Enforce', 'Paused']).default('Observe'),
    )
    .option('--to-dir <directory>', 'a file for each manifest, in place of standard output')
    .option('--no-report', 'do not ask the API server what is there, nor the brokers what would change')
    .addHelpText(
      'after',
      examples(
        'topicsmith import > topics.yaml           # all topics; read the report, then apply them',
        "topicsmith import -n shop 'orders-*' | kubectl apply -f -",
        'topicsmith import --to-dir topics/',
        'topicsmith import --from strimzi -n kafka --to-dir topics/',
        'topicsmith import --from strimzi -f strimzi/ -R --no-report   # files to files, offline',
      ),
    )
    .action(run(importing));
};

const importing: Work<Options> = async (shell, options, patterns) => {
  if (options.from === 'kafka' && (options.filename !== undefined || options.selector !== undefined))
    throw new Problem('-f and --selector choose among objects of Strimzi: use them with --from strimzi');
  if (options.from === 'kafka' && options.allNamespaces)
    throw new Problem(
      'live topics are in no namespace: -n NAMESPACE says where their objects shall be, in place of -A',
    );
  const known = options.report ? await knownObjects(shell, options) : undefined;
  const target = known?.namespace ?? options.namespace ?? 'default';
  const existing = known?.objects ?? [];
  const sourced = await (options.from === 'kafka'
    ? liveTopics(shell, patterns, { ...options, target, existing })
    : strimziTopics(shell, patterns, { ...options, existing }));
  const converted = eachOnce(sourced.drafts.map((draft) => imported(draft, target)));
  const told = known === undefined ? [] : await adoptions(shell, converted, known.objects);
  const objects = converted.map((object, at) => ({ ...object, ...(told[at] && { adoption: told[at] }) }));
  return finish(shell, options, objects, sourced);
};

const imported = ({ topicName, manifest, notes }: Draft, target: string): Imported => {
  const { namespace = target, name } = manifest.metadata;
  return { namespace, name, topic: topicName, manifest, notes };
};

function eachOnce(objects: readonly Imported[]): readonly Imported[] {
  const seen = new Map<string, string>();
  for (const { topic, ...key } of objects) {
    const before = seen.get(keyOf(key));
    if (before !== undefined)
      throw new Problem(
        `KafkaTopic ${keyOf(key)} comes out twice, for topics ${before} and ${topic}: import one of them`,
      );
    seen.set(keyOf(key), topic);
  }
  return objects;
}

async function finish(
  shell: Shell,
  options: Parameters<typeof show>[1] & Options,
  objects: readonly Imported[],
  { leftOut, internal, strimzi }: Sourced,
): Promise<ExitCode> {
  const { importText, manifestsText } = await import('./import-text.ts');
  const { writeEach } = await import('./import-files.ts');
  const manifests = objects.map(({ manifest }) => manifest);
  const text = options.toDir === undefined ? await manifestsText(manifests) : await writeEach(options.toDir, manifests);
  const summary: ImportSummary = { objects: objects.length, internal, leftOut: leftOut.length, strimzi };
  // the default form is the manifests, here in YAML
  const output = options.output === 'yaml' ? 'table' : options.output;
  await show(shell, { ...options, output }, { value: { summary, objects, leftOut }, objects, text: () => text });
  shell.err(importText(objects, leftOut, summary, { wide: options.output === 'wide' }));
  return isComplete(objects, leftOut) ? 0 : 1;
}

const isComplete = (objects: readonly Imported[], leftOut: readonly LeftOut[]): boolean =>
  leftOut.every(({ failed }) => !failed) && objects.every(({ adoption }) => adoption?.verdict !== 'unknown');
