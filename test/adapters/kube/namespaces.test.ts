import { namespacesIn } from '../../../functions/adapters/kube/namespaces.ts';
import { table } from '../../support/table.ts';

table('namespaces', namespacesIn, [
  { reason: 'not set, all are watched', given: undefined, want: [] },
  { reason: 'nothing listed, too', given: ' , ', want: [] },
  { reason: 'a comma list', given: 'a, b,,c ', want: ['a', 'b', 'c'] },
  { reason: 'one that stands twice is one', given: 'a,a,b,a', want: ['a', 'b'] },
]);
