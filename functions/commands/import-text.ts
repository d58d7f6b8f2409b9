/** An import as text: the manifests, and the report about them. */
import type { Manifest } from '../core/manifest.ts';
import type { Imported, ImportSummary } from './import.ts';
import type { LeftOut } from './import-sources.ts';
import { isPartlyRefused } from './plan.ts';
import { type Column, counted, table } from './render.ts';

/** YAML that `kubectl apply` takes, a document each; plain texts mean the same to readers of YAML 1.1, as kubectl is one. */
export async function manifestsText(manifests: readonly Manifest[]): Promise<string> {
  const { yamlText } = await import('./yaml.ts');
  const texts = manifests.map((manifest) => yamlText(manifest, { compat: 'yaml-1.1', lineWidth: 0 }));
  return (await Promise.all(texts)).join('---\n');
}

/** What manifests do not say, what enforcing them would change, what was left out, and the counts. */
export function importText(
  objects: readonly Imported[],
  leftOut: readonly LeftOut[],
  summary: ImportSummary,
  { wide }: { readonly wide: boolean },
): string {
  const parts = [
    tableOf(noteColumns, notesOf(objects, wide)),
    tableOf(leftOutColumns, leftOut),
    tableOf(changeColumns, objects.flatMap(changesOf)),
    tableOf(refusalColumns, objects.flatMap(refusalsOf)),
    summaryText(objects, summary),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

const plain = { colour: false };

const tableOf = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string =>
  rows.length === 0 ? '' : table(columns, rows, plain);

type Note = { readonly note: string; readonly topics: string };

const noteColumns: readonly Column<Note>[] = [
  { title: 'NOTE', of: ({ note }) => note },
  { title: 'TOPICS', of: ({ topics }) => topics },
];

/** Many objects say the same: each note once, with whom it is about. */
function notesOf(objects: readonly Imported[], wide: boolean): Note[] {
  const topics = new Map<string, string[]>();
  for (const { topic, notes, adoption } of objects)
    for (const note of [...notes, ...(adoption?.note === undefined ? [] : [adoption.note])])
      topics.set(note, [...(topics.get(note) ?? []), topic]);
  return [...topics].map(([note, names]) => ({ note, topics: enumeration(names, wide ? names.length : shownTopics) }));
}

const shownTopics = 3;

const enumeration = (names: readonly string[], count: number): string =>
  names.length <= count ? names.join(', ') : `${names.slice(0, count).join(', ')} and ${names.length - count} more`;

const leftOutColumns: readonly Column<LeftOut>[] = [
  { title: 'LEFT OUT', of: ({ topic }) => topic },
  { title: 'WHY', of: ({ why }) => why },
];

type Row = { readonly topic: string; readonly field: string; readonly live: string; readonly wanted: string };

const changeColumns: readonly Column<Row>[] = [
  { title: 'TOPIC', of: ({ topic }) => topic },
  { title: 'FIELD', of: ({ field }) => field },
  { title: 'LIVE', of: ({ live }) => live },
  { title: 'MANIFEST', of: ({ wanted }) => wanted },
];

function changesOf({ topic, adoption }: Imported): Row[] {
  const changes = adoption?.changes ?? [];
  if (changes.some(({ type }) => type === 'CreateTopic'))
    return [{ topic, field: 'topic', live: 'absent', wanted: 'present' }];
  return changes.map(({ field = '', from = '', to = '' }) => ({ topic, field, live: from, wanted: to }));
}

type Refused = { readonly topic: string; readonly reason: string; readonly message: string };

const refusalColumns: readonly Column<Refused>[] = [
  { title: 'TOPIC', of: ({ topic }) => topic },
  { title: 'REFUSED', of: ({ reason }) => reason },
  { title: 'MESSAGE', of: ({ message }) => message },
];

const refusalsOf = ({ topic, adoption }: Imported): Refused[] =>
  (adoption?.refusals ?? []).map(({ reason, message }) => ({ topic, reason, message }));

function summaryText(objects: readonly Imported[], { internal, leftOut, strimzi }: ImportSummary): string {
  const verdict = (of: string) => objects.filter(({ adoption }) => adoption?.verdict === of).length;
  const held = objects.filter(({ adoption }) => adoption?.changes.some((change) => change.held)).length;
  const partly = objects.filter(({ adoption }) => adoption !== undefined && isPartlyRefused(adoption)).length;
  const parts = [...(held > 0 ? [`${held} after approval`] : []), ...(partly > 0 ? [`${partly} only in part`] : [])];
  const enforced = [
    `${verdict('unchanged')} would stay as they are`,
    `${verdict('changes')} would be changed${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`,
    `${verdict('refused')} refused`,
    ...(verdict('unknown') > 0 ? [`${verdict('unknown')} could not be looked at`] : []),
  ];
  const lines = [
    `Import: ${counted(objects.length, 'object')}, ${leftOut} left out, ${internal} of Kafka's own.`,
    ...(objects.some(({ adoption }) => adoption !== undefined) ? [`With mode Enforce: ${enforced.join(', ')}.`] : []),
    ...(strimzi > 0 ? [`Strimzi manages ${strimzi} of these topics: end that before you set another mode.`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
