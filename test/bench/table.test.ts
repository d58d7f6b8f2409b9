import { table } from '../support/table.ts';
import { columns } from './table.ts';

table('columns', ([rows, alignments]: Parameters<typeof columns>) => columns(rows, alignments), [
  {
    reason: 'numbers stand below each other by their last digit',
    given: [
      [
        ['name', 's'],
        ['a', '1.50'],
        ['longer', '12.00'],
      ],
    ],
    want: 'name        s\na        1.50\nlonger  12.00\n',
  },
  {
    reason: 'a text at the end of a line leaves no spaces behind',
    given: [
      [
        ['x', 'what'],
        ['10', 'is'],
      ],
      ['right', 'left'],
    ],
    want: ' x  what\n10  is\n',
  },
  { reason: 'an empty cell keeps its place', given: [[['a', '', 'b']]], want: 'a    b\n' },
]);
