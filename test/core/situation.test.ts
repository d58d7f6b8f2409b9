import type { TopicResource } from '../../functions/core/resource.ts';
import { queryOf } from '../../functions/core/situation.ts';
import { boundTopic, topic } from '../support/build.ts';
import { table } from '../support/table.ts';

const damaged = { reason: 'InvalidSpec', message: 'no' } as const;

table('what the brokers are asked about an object', (resource: TopicResource) => queryOf(resource), [
  {
    reason: 'its own keys and those that it had, each once, and whether the topic compacts',
    given: boundTopic({ config: { 'segment.ms': '1' } }, { config: { 'retention.ms': '1', 'segment.ms': '1' } }),
    want: { topicName: 'orders', configs: ['cleanup.policy', 'retention.ms', 'segment.ms'] },
  },
  {
    reason: 'all keys, where no other may be set',
    given: topic({ configMode: 'Exact', config: { 'segment.ms': '1' } }),
    want: { topicName: 'orders', configs: 'all' },
  },
  {
    reason: 'none, where nobody can read what is wanted',
    given: topic({}, { spec: damaged }),
    want: { topicName: 'orders', configs: [] },
  },
  {
    reason: 'about the topic that it is bound to, whatever it is called now',
    given: boundTopic({ topicName: 'renamed' }),
    want: { topicName: 'orders', configs: ['cleanup.policy'] },
  },
]);
