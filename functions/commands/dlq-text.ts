/** Dead letters as text. What their bodies hold cannot move the cursor. */
import type { DeadLetter } from '../core/dead-letter.ts';
import { harmless } from '../core/harmless.ts';
import type { Found, Look } from './dlq-look.ts';
import type { Moving, Verb } from './dlq-take.ts';
import { ageOf, type Column, counted, painter, type Style, table } from './render.ts';

/** A row for each, then how many there are. */
export function listText({ found, others, unchosen }: Look, now: Date, style: Style): string {
  const letters = found.map(({ letter }) => letter);
  const rows = letters.length > 0 ? `${table(columnsOf(now, style), letters, style)}\n` : '';
  return `${rows}${sentence([summary(letters), ...unseen(others), ...passedOver(unchosen)])}\n`;
}

function columnsOf(now: Date, style: Style): readonly Column<DeadLetter>[] {
  const object = ({ namespace = '', name = '' }: DeadLetter) => (style.namespaces ? `${namespace}/${name}` : name);
  return [
    { title: 'OBJECT', of: (letter) => (letter.name === undefined ? '' : object(letter)), tint: () => 'bold' },
    { title: 'TRIGGER', of: ({ trigger = '' }) => trigger },
    { title: 'REASON', of: ({ reason }) => reason, tint: ({ reason }) => (reason === 'Synced' ? 'green' : 'red') },
    { title: 'AGE', of: ({ since }) => ageOf(since, now) },
    ...(style.wide
      ? ([
          { title: 'ID', of: ({ id }) => id },
          { title: 'RECEIVES', of: ({ receives }) => String(receives) },
          { title: 'BYTES', of: ({ bytes }) => String(bytes) },
        ] satisfies Column<DeadLetter>[])
      : []),
    { title: 'MESSAGE', of: ({ message }) => message },
  ];
}

const sentence = (parts: readonly string[]): string => `${parts.join('; ')}.`;

function summary(letters: readonly DeadLetter[]): string {
  const objects = new Set(letters.flatMap(({ namespace, name }) => (name === undefined ? [] : `${namespace}/${name}`)));
  const malformed = letters.filter(({ reason }) => reason === 'Malformed').length;
  return [
    counted(letters.length, 'dead letter'),
    ...(objects.size > 0 ? [` of ${counted(objects.size, 'object')}`] : []),
    ...(malformed > 0 ? [`, ${malformed} that nobody can read`] : []),
  ].join('');
}

/** Of a message group no more is seen than its first messages, while those are held. */
const unseen = (others = 0): readonly string[] =>
  others > 0
    ? [`about ${others} more lie behind these in their groups, are beyond --limit, or being looked at by others`]
    : [];

const passedOver = (count: number): readonly string[] => (count > 0 ? [`${count} not asked for`] : []);

/** What would be done, before anybody is asked. */
export function previewText(looked: Look, verb: Verb, now: Date, style: Style): string {
  const what = verb === 'replay' ? 'sent back' : 'saved and deleted';
  const behind = (looked.others ?? 0) > 0 ? ', and what fits of those behind them' : '';
  return `${listText(looked, now, style)}To be ${what}: ${looked.found.length}${behind}.\n`;
}

/** Counts that add up, and what they mean. */
export function movingText({ verb, done, removed, left, file, problem }: Moving): string {
  const stays = [
    ...some(left.malformed, 'nobody can read (--malformed sends them too)'),
    ...some(left.notChosen, 'not asked for'),
    ...some(left.arrivedSince, 'came in since it began'),
    ...some(left.failed, 'not done'),
    ...(left.others === undefined
      ? ['what was not reached']
      : some(
          left.others,
          'not reached (behind those in their groups, beyond --limit, or being looked at by others)',
          'about ',
        )),
  ];
  const twice = done - removed;
  return [
    `${verb === 'replay' ? 'Replay' : 'Drop'}: ${done} ${verb === 'replay' ? 'sent back' : 'dropped'}, ${stays.length === 0 ? 'none left' : `left: ${stays.join(', ')}`}.`,
    ...(file === undefined ? [] : [`Their bodies are in ${file}.`]),
    ...(twice > 0 ? [`${twice} of them could not be taken out and are still there: a second time does no harm.`] : []),
    ...(problem === undefined
      ? []
      : [`It ended early: ${harmless(problem)}. Nothing is lost: what is left can be tried again.`]),
    '',
  ].join('\n');
}

const some = (count: number, what: string, about = ''): readonly string[] =>
  count > 0 ? [`${about}${count} ${what}`] : [];

/** A block for each, with as much of its body as a terminal is good for. */
export function bodiesText(looked: Look, now: Date, style: Style): string {
  const blocks = looked.found.map((found) => `${block(found, now, style)}\n`);
  return `${blocks.join('')}${sentence([summary(looked.found.map(({ letter }) => letter)), ...unseen(looked.others)])}\n`;
}

function block({ letter, message }: Found, now: Date, style: Style): string {
  const paint = painter(style);
  const { namespace, name, reason, trigger = '-', since, receives, group, bytes } = letter;
  const title = name === undefined ? `(${reason === 'Tick' ? 'a tick' : 'names no object'})` : `${namespace}/${name}`;
  const fields = {
    id: letter.id,
    trigger,
    since: `${since} (${ageOf(since, now)})`,
    receives,
    group,
    reason,
    message: letter.message,
    body: bodyOf(message.body, bytes),
  };
  const lines = Object.entries(fields).map(([field, value]) => `  ${`${field}:`.padEnd(10)}${harmless(String(value))}`);
  return `${[paint('bold', title), ...lines].join('\n')}\n`;
}

const shownCharacters = 2_000;

const bodyOf = (body: string, bytes: number): string =>
  body.length <= shownCharacters ? body : `${body.slice(0, shownCharacters)}… (${bytes} bytes; -o json shows all)`;
