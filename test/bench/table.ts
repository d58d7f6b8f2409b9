export type Alignment = 'left' | 'right';

/**
 * Rows of text as columns, two spaces apart.
 *
 * @param alignments by column; without them the first is at the left and all others at the right
 * @returns a line per row, each with its line end
 */
export function columns(rows: readonly (readonly string[])[], alignments?: readonly Alignment[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  const alignment = (at: number) => alignments?.[at] ?? (at === 0 ? 'left' : 'right');
  const pad = (cell: string, at: number) =>
    alignment(at) === 'left' ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return rows.map((row) => `${row.map(pad).join('  ').trimEnd()}\n`).join('');
}
