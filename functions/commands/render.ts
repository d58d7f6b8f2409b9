/** Values as text: only this file, and `*-text.ts` of single commands, know columns and colour. */
import { styleText } from 'node:util';
import { group, singular } from '../core/api.ts';
import { harmless, harmlessLines } from '../core/harmless.ts';
import type { HeldPlan } from '../core/resource.ts';
import type { Key } from '../core/topic.ts';
import type { Checked, Drift, DriftSummary } from './drift.ts';
import type { Awaited } from './outcomes.ts';
import type { Change, Foreseen, PlanSummary } from './plan.ts';
import type { Fleet, ForwarderState, QueueState, ReasonCount } from './status.ts';

export const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof formats)[number];

/** `namespaces`: objects of several may stand side by side. */
export type Style = { readonly colour: boolean; readonly wide: boolean; readonly namespaces: boolean };

/** JSON or YAML with its final line break. */
export async function structured(format: 'json' | 'yaml', value: unknown): Promise<string> {
  const json = harmlessLines(`${JSON.stringify(value, null, 2)}\n`);
  if (format === 'json') return json;
  const { yamlText } = await import('./yaml.ts');
  return yamlText(JSON.parse(json), { aliasDuplicateObjects: false });
}

/** As `kubectl -o name`: names that commands take as arguments, a line each. */
export const names = (objects: readonly Key[]): string =>
  objects.map(({ name }) => `${singular}.${group}/${harmless(name)}\n`).join('');

const barWidth = 24;

/** A bar for a line of progress: `sent [######..................] 25 of 100`. */
export function bar(what: string, done: number, total: number): string {
  const filled = total > 0 ? Math.min(barWidth, Math.floor((barWidth * done) / total)) : barWidth;
  return `${what} [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${done} of ${total}`;
}

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

export const painter =
  ({ colour }: Pick<Style, 'colour'>) =>
  (tint: Colour, text: string): string =>
    colour ? styleText(tint, text, { validateStream: false }) : text;

export type Column<Row> = {
  readonly title: string;
  readonly of: (row: Row) => string;
  readonly tint?: (row: Row) => Colour | undefined;
};

/** Columns three spaces apart, as kubectl prints them. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: Pick<Style, 'colour'>,
): string {
  const paint = painter(style);
  const widths = columns.map(({ title, of }) => Math.max(title.length, ...rows.map((row) => harmless(of(row)).length)));
  const line = (cells: readonly { text: string; tint?: Colour | undefined }[]) =>
    cells
      .map(({ text, tint }, at) => {
        const padded = at === cells.length - 1 ? text : text.padEnd((widths[at] ?? 0) + 3);
        return tint === undefined ? padded : paint(tint, padded);
      })
      .join('')
      .trimEnd();
  const head = line(columns.map(({ title }) => ({ text: title })));
  const body = rows.map((row) =>
    line(columns.map(({ of, tint }) => ({ text: harmless(of(row)) || '-', tint: tint?.(row) }))),
  );
  return `${[head, ...body].join('\n')}\n`;
}

/** `3 topics`, `1 topic` */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

const objectOf = ({ namespace, name }: Key, { namespaces }: Style): string =>
  harmless(namespaces ? `${namespace}/${name}` : name);

/** One block for each object that is not as it shall be (`wide`: for all), then the counts. */
export function planText(plans: readonly Foreseen[], summary: PlanSummary, style: Style): string {
  const listed = plans.filter(({ verdict, note }) => style.wide || verdict !== 'unchanged' || note !== undefined);
  const counts = [
    `${summary.changes} to change`,
    ...(summary.held > 0 ? [`${summary.held} of them ${summary.held === 1 ? 'waits' : 'wait'} for approval`] : []),
    ...(summary.partlyRefused > 0 ? [`${summary.partlyRefused} of them with something refused`] : []),
    `${summary.refused} ${summary.partlyRefused > 0 ? 'wholly ' : ''}refused`,
    `${summary.unchanged} with nothing to do`,
    ...(summary.unknown > 0 ? [`${summary.unknown} could not be looked at`] : []),
  ];
  return `${listed.map((plan) => `${planBlock(plan, style)}\n`).join('')}Plan: ${counts.join(', ')}.\n`;
}

function planBlock({ namespace, name, topic, verdict, changes, refusals, hash, note }: Foreseen, style: Style): string {
  const paint = painter(style);
  const title = paint('bold', objectOf({ namespace, name }, style));
  const label = verdict === 'unknown' ? 'COULD NOT LOOK' : 'REFUSED';
  const lines = [
    topic === name ? title : `${title} (topic ${harmless(topic)})`,
    ...changes.map((change) => changeLine(change, paint)),
    ...reasonsHeld(changes).map((why) => paint('red', `  HELD: ${harmless(why)}`)),
    ...refusals.map(({ reason, message }) => paint('red', `  ${label} ${harmless(`${reason}: ${message}`)}`)),
    ...(hash === undefined ? [] : [harmless(`  to let it happen: topicsmith approve ${name} -n ${namespace}`)]),
    ...(note === undefined ? [] : [paint('dim', `  ${harmless(note)}`)]),
    ...(changes.length + refusals.length === 0 && note === undefined ? [paint('dim', '  nothing to do')] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is held beside something destructive has no reason of its own; with none at all it is the mode. */
function reasonsHeld(changes: readonly Change[]): readonly string[] {
  const held = changes.filter((change) => change.held);
  const whys = new Set(held.map(({ why }) => why).filter((why) => why !== ''));
  return held.length > 0 && whys.size === 0 ? ['spec.mode Plan holds every action'] : [...whys];
}

type Painter = ReturnType<typeof painter>;

/** `+` comes, `-` goes, `~` becomes another, `!` in front of what waits for approval. */
function changeLine(change: Change, paint: Painter): string {
  const { sign, text } = wordsOf(change);
  const mark = change.held ? '!' : ' ';
  const approved = change.destructive && !change.held ? ' (approved)' : '';
  const tint: Colour = change.held ? 'red' : sign === '+' ? 'green' : sign === '-' ? 'red' : 'yellow';
  return paint(tint, `${mark} ${sign} ${harmless(text)}${approved}`);
}

function wordsOf({ type, field = '', from = '', to = '' }: Change): { sign: '+' | '-' | '~'; text: string } {
  switch (type) {
    case 'CreateTopic':
      return { sign: '+', text: to === '' ? field : `${field}: ${to}` };
    case 'AddFinalizer':
      return { sign: '+', text: 'finalizer' };
    case 'RemoveFinalizer':
      return { sign: '-', text: 'finalizer' };
    case 'BindTopic':
      return { sign: '~', text: `take over the topic with id ${to}` };
    case 'DeleteTopic':
      return { sign: '-', text: `topic with id ${to}` };
    case 'ResetConfig':
      return { sign: '-', text: `${field}: ${from} -> ${to === 'inherited' ? to : `inherited ${to}`}` };
    case 'FinishMove':
      return { sign: '~', text: `${field}: end the change to ${to}` };
    default:
      return { sign: '~', text: `${field}: ${from} -> ${to}` };
  }
}

/** What waits for approval, as `planText` shows it. */
export function heldText(key: Key, topic: string, plan: HeldPlan, style: Style): string {
  const changes = plan.actions.map((action) => ({ ...action, field: fieldOf(action), held: true }));
  const omitted = plan.omitted === undefined ? {} : { note: `and ${counted(plan.omitted, 'change')} more` };
  return planBlock({ ...key, topic, verdict: 'changes', changes, refusals: plan.refusals, ...omitted }, style);
}

/** The status names config keys as they are. */
const fieldOf = ({ type, field = '' }: HeldPlan['actions'][number]): string => {
  if (type === 'CreateTopic') return 'topic';
  return type === 'SetConfig' || type === 'ResetConfig' ? `config.${field}` : field;
};

/** A row for each field that differs and each object that was not checked, then the counts. */
export function driftText(found: readonly Checked[], summary: DriftSummary, style: Style): string {
  const rows = found.flatMap((object): readonly (Key & Drift)[] =>
    object.drift.map((entry) => ({ ...object, ...entry })),
  );
  const unchecked = found.filter(({ verdict }) => verdict === 'notChecked' || (style.wide && verdict === 'skipped'));
  const object: Column<Key> = { title: 'OBJECT', of: (key) => objectOf(key, style), tint: () => 'bold' };
  const drifts: Column<Key & Drift>[] = [
    object,
    { title: 'FIELD', of: ({ field }) => field },
    { title: 'DESIRED', of: ({ desired }) => desired, tint: () => 'green' },
    { title: 'OBSERVED', of: ({ observed }) => observed, tint: () => 'red' },
    { title: 'SINCE', of: ({ since = '' }) => since },
  ];
  const others: Column<Checked>[] = [
    object,
    { title: 'NOT CHECKED', of: ({ reason = '' }) => reason, tint: () => 'yellow' },
    { title: 'MESSAGE', of: ({ message = '' }) => message },
  ];
  const counts = [
    `${summary.drifted} drifted`,
    `${summary.clean} clean`,
    `${summary.notChecked} not checked`,
    ...(summary.skipped > 0 ? [`${summary.skipped} left out`] : []),
  ];
  const parts = [
    ...(rows.length > 0 ? [table(drifts, rows, style)] : []),
    ...(unchecked.length > 0 ? [table(others, unchecked, style)] : []),
    `Drift: ${counts.join(', ')}.\n`,
  ];
  return parts.join('\n');
}

/** A row for each object, then how many are Ready. */
export function outcomesText(outcomes: readonly Awaited[], style: Style): string {
  const tint = ({ ready, handled }: Awaited): Colour =>
    !handled || ready === 'Unknown' ? 'yellow' : ready === 'False' ? 'red' : 'green';
  const columns: Column<Awaited>[] = [
    { title: 'OBJECT', of: (key) => objectOf(key, style), tint: () => 'bold' },
    { title: 'READY', of: ({ ready }) => ready, tint },
    { title: 'REASON', of: ({ reason }) => reason, tint },
    { title: 'MESSAGE', of: ({ message }) => message },
  ];
  const count = (which: (outcome: Awaited) => boolean) => outcomes.filter(which).length;
  const ready = count((outcome) => outcome.handled && (outcome.ready === 'True' || outcome.ready === 'Gone'));
  const late = count(({ handled }) => !handled);
  const counts = [
    `${ready} ready`,
    `${outcomes.length - ready - late} not ready`,
    ...(late > 0 ? [`${late} not finished in time`] : []),
  ];
  return `${table(columns, outcomes, style)}\nReconcile: ${counts.join(', ')}.\n`;
}

/** Objects by reason, the one that waits longest, the queues, and the forwarder. */
export function fleetText({ objects, reasons, oldest, queues, forwarder }: Fleet, now: Date, style: Style): string {
  const tint = ({ ready }: ReasonCount): Colour => (ready === 'True' ? 'green' : ready === 'False' ? 'red' : 'yellow');
  const byReason: Column<ReasonCount>[] = [
    { title: 'READY', of: ({ ready }) => ready, tint },
    { title: 'REASON', of: ({ reason }) => reason, tint },
    { title: 'OBJECTS', of: (row) => String(row.objects) },
    { title: 'MEANING', of: ({ meaning }) => meaning, tint: () => 'dim' },
  ];
  const waits =
    oldest === undefined
      ? 'nothing waits to be worked on'
      : harmless(
          `waits longest: ${oldest.namespace}/${oldest.name} (${oldest.reason}${oldest.since === undefined ? '' : `, ${ageOf(oldest.since, now)}`})`,
        );
  return [
    ...(reasons.length > 0 ? [table(byReason, reasons, style)] : []),
    `${counted(objects, 'object')}; ${waits}\n`,
    table(
      queues.some(({ problem }) => problem !== undefined) ? [...queueColumns, problemColumn] : queueColumns,
      queues,
      style,
    ),
    forwarderText(forwarder, now, style),
  ].join('\n');
}

function forwarderText(forwarder: ForwarderState, now: Date, style: Style): string {
  const paint = painter(style);
  if ('unknown' in forwarder) return paint('dim', `forwarder: not asked; ${harmless(forwarder.unknown)}`).concat('\n');
  if ('problem' in forwarder) return paint('yellow', harmless(`forwarder: ${forwarder.problem}`)).concat('\n');
  const { problems, keysWaiting, lastTick } = forwarder;
  const state =
    problems.length === 0 ? paint('green', 'ready') : paint('red', harmless(`not ready (${problems.join('; ')})`));
  const tick = lastTick === undefined ? 'no tick yet' : `last tick ${ageOf(lastTick, now)} ago`;
  return `forwarder: ${state}; ${counted(keysWaiting, 'name')} to send; ${tick}\n`;
}

const queueTitles: Readonly<Record<QueueState['queue'], string>> = {
  RECONCILE_QUEUE_URL: 'reconcile',
  RECONCILE_DLQ_URL: 'reconcile, dead letters',
  TICK_QUEUE_URL: 'ticks',
  TICK_DLQ_URL: 'ticks, dead letters',
};

const isDead = ({ queue, depth }: QueueState): boolean => queue.includes('DLQ') && (depth?.waiting ?? 0) > 0;

const queueColumns: readonly Column<QueueState>[] = [
  { title: 'QUEUE', of: ({ queue }) => queueTitles[queue] },
  {
    title: 'WAITING',
    of: ({ depth }) => String(depth?.waiting ?? '?'),
    tint: (row) => (isDead(row) ? 'red' : undefined),
  },
  { title: 'IN FLIGHT', of: ({ depth }) => String(depth?.inFlight ?? '?') },
];

const problemColumn: Column<QueueState> = { title: 'PROBLEM', of: ({ problem = '' }) => problem, tint: () => 'yellow' };

/** As kubectl's AGE: the largest unit that is at least two. */
export function ageOf(since: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 1000));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  const [unit, size] = units.find(([, size]) => seconds >= 2 * size) ?? ['s', 1];
  return `${Math.floor(seconds / size)}${unit}`;
}
