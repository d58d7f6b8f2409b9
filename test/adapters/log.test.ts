import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createLogger, type Level } from '../../functions/adapters/log.ts';

function logged(level: Level | undefined, use: (log: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  use(createLogger({ level, write: (line) => lines.push(line) }));
  return lines;
}

const only = (lines: string[]): Record<string, unknown> => {
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
};

describe('log', () => {
  test('a line holds time, level, event and the fields', () => {
    const { time, ...rest } = only(logged(undefined, (log) => log.warn('queue-lost', { waiting: 3, reason: 'gone' })));
    assert.deepEqual(rest, { level: 'warn', event: 'queue-lost', waiting: 3, reason: 'gone' });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
  });

  test('whatever text comes in, there is one line per call and the text can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const lines = logged('debug', (log) => log.debug(text, { text }));
        assert.equal(lines.join('').split('\n').length, 2);
        const { event, text: field } = only(lines);
        assert.deepEqual([event, field], [text, text]);
      }),
    );
  });

  test('levels below the chosen one are silent', () => {
    const lines = logged('warn', (log) => {
      log.debug('a');
      log.info('b');
      log.warn('c');
      log.error('d');
    });
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { event: string }).event),
      ['c', 'd'],
    );
  });

  test('an error is written with its code and causes, without its other properties', () => {
    const cause = Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED', password: 'canary' });
    const error = Object.assign(new TypeError('fetch failed', { cause }), { headers: { authorization: 'canary' } });
    const line = only(logged('info', (log) => log.info('lost', { error })));
    assert.equal(line.error, 'TypeError: fetch failed (Error: ECONNREFUSED: connect failed)');
  });

  test('other objects are written by their type only', () => {
    const circular: Record<string, unknown> = { secret: 'canary' };
    circular.self = circular;
    const fields = { circular, map: new Map(), big: 12n, list: ['a', 1, new Error('no')] };
    const { time: _, ...line } = only(logged('info', (log) => log.info('x', fields)));
    assert.deepEqual(line, {
      level: 'info',
      event: 'x',
      circular: '[object Object]',
      map: '[object Map]',
      big: '12',
      list: ['a', 1, 'Error: no'],
    });
  });

  test('a field cannot pose as the level or the event', () => {
    const line = only(logged('info', (log) => log.info('real', { event: 'forged', level: 'error' })));
    assert.deepEqual([line.event, line.level], ['real', 'info']);
  });
});
