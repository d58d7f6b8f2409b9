import assert from 'node:assert/strict';
import { test } from 'node:test';

export type Row<Given, Want> = { readonly reason: string; readonly given: Given; readonly want: Want };

/** One test per row: `act(given)` is deeply equal to `want`, and `reason` says why it has to be. */
export function table<Given, Want>(name: string, act: (given: Given) => Want, rows: readonly Row<Given, Want>[]): void {
  for (const { reason, given, want } of rows) test(`${name}: ${reason}`, () => assert.deepEqual(act(given), want));
}
