import { lookalikes } from '../../functions/settings/lookalikes.ts';
import { names } from '../../functions/settings/table.ts';
import { table } from '../support/table.ts';

const meant = (variable: string) => lookalikes({ [variable]: 'x' }).map(({ meant }) => meant);

table('a name that looks like', meant, [
  { reason: 'a letter is missing', given: 'KAFKA_BROKER', want: ['KAFKA_BROKERS'] },
  { reason: 'letters are swapped', given: 'KAFKA_BROEKRS', want: ['KAFKA_BROKERS'] },
  { reason: 'a letter is another', given: 'LOG_LEVEN', want: ['LOG_LEVEL'] },
  { reason: 'words are missing', given: 'RESYNC_INTERVAL', want: ['RESYNC_INTERVAL_SECONDS'] },
  { reason: 'a word inside is missing', given: 'KAFKA_USERNAME', want: ['KAFKA_SASL_USERNAME'] },
  { reason: 'the file was forgotten', given: 'KAFKA_SASL_PASSWORD', want: ['KAFKA_SASL_PASSWORD_FILE'] },
  { reason: 'an underscore too much', given: 'KUBE_CONFIG', want: ['KUBECONFIG'] },
  { reason: 'of other programs', given: 'KAFKA_HEAP_OPTS', want: [] },
  { reason: 'of Lambda', given: 'AWS_LAMBDA_FUNCTION_NAME', want: [] },
  { reason: 'of the AWS SDK', given: 'AWS_DEFAULT_REGION', want: [] },
  { reason: 'made by Kubernetes for a Service that is called kafka', given: 'KAFKA_SERVICE_HOST', want: [] },
  { reason: 'one word alone', given: 'KAFKA', want: [] },
]);

table(
  'names of settings',
  (given: readonly string[]) => lookalikes(Object.fromEntries(given.map((name) => [name, 'x']))),
  [{ reason: 'look like none', given: names, want: [] }],
);

table('a variable', (given: string) => lookalikes({ KAFKA_BROKER: given }), [
  { reason: 'that is empty is not set', given: '', want: [] },
]);
