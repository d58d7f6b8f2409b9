/** What `npm start` can be asked for. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from './program.ts';
import { defaultDirectory } from './state.ts';

export const partNames = ['apiserver', 'kafka', 'elasticmq', 'forwarder', 'runner'] as const;
export type PartName = (typeof partNames)[number];

export const usage = `usage: npm start [-- OPTION ...]

  --brokers 1|3     Kafka brokers (default 1)
  --topics samples  also apply the KafkaTopics of crds/examples/samples
  --detach          return when everything serves; end it with npm stop
  --only PART,...   some parts only: ${partNames.join(', ')}
  --dir DIRECTORY   where state, addresses and logs go (default .topicsmith)
  --help            print this

KUBECONFIG, KAFKA_BROKERS and SQS_ENDPOINT, where set, replace the local part.
`;

export type StartOptions = {
  readonly dir: string;
  readonly brokers: 1 | 3;
  readonly samples: boolean;
  readonly detach: boolean;
  readonly parts: readonly PartName[];
};

/** Options that npm hands on only behind `--`. Not those that it has itself: `--only`, `--dir`. */
export const npmWouldKeep = ['brokers', 'topics', 'detach'] as const;

/** @throws UsageError, or the error of `parseArgs` whose code starts with ERR_PARSE_ARGS */
export function readOptions(args: string[]): StartOptions {
  const { values } = parseArgs({
    args,
    options: {
      brokers: { type: 'string', default: '1' },
      topics: { type: 'string' },
      detach: { type: 'boolean', default: false },
      only: { type: 'string', default: partNames.join(',') },
      dir: { type: 'string', default: defaultDirectory },
    },
  });
  const { brokers, topics, only, dir, detach } = values;
  if (brokers !== '1' && brokers !== '3') throw new UsageError(`--brokers is "${brokers}": it has to be 1 or 3`);
  if (topics !== undefined && topics !== 'samples')
    throw new UsageError(`--topics is "${topics}": there are only samples`);
  const unknown = only.split(',').find((name) => !partNames.some((part) => part === name));
  if (unknown !== undefined) throw new UsageError(`--only names "${unknown}": there are ${partNames.join(', ')}`);
  const parts = partNames.filter((part) => only.split(',').includes(part));
  if (topics !== undefined && parts.length < partNames.length)
    throw new UsageError('--topics needs all parts: leave out --only');
  return { dir: resolve(dir), brokers: brokers === '3' ? 3 : 1, samples: topics !== undefined, detach, parts };
}
