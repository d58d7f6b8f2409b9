/** Findings as text. */
import { harmless } from '../core/harmless.ts';
import type { Checked, Verdict } from '../doctor/check.ts';
import type { DoctorSummary } from './doctor.ts';
import { type Colour, counted, painter, type Style } from './render.ts';

const marks: Readonly<Record<Verdict, { readonly sign: string; readonly tint: Colour }>> = {
  ok: { sign: '✔', tint: 'green' },
  warning: { sign: '!', tint: 'yellow' },
  failed: { sign: '✖', tint: 'red' },
  notChecked: { sign: '?', tint: 'dim' },
};

/** A block for each area with a line for each check, what to do below what is not well, then the counts. */
export function doctorText(found: readonly Checked[], summary: DoctorSummary, style: Style): string {
  const paint = painter(style);
  const width = Math.max(...found.map(({ name }) => name.length));
  const line = ({ name, verdict, says, mend }: Checked): string => {
    const { sign, tint } = marks[verdict];
    const told = verdict === 'ok' ? harmless(says) : paint(tint, harmless(says));
    const what = mend === undefined ? '' : `\n${' '.repeat(width + 6)}→ ${harmless(mend)}`;
    return `  ${paint(tint, sign)} ${name.padEnd(width + 2)}${told}${what}\n`;
  };
  const blocks = [...Map.groupBy(found, ({ area }) => area)].map(
    ([area, checks]) => `${paint('bold', area)}\n${checks.map(line).join('')}`,
  );
  const counts = [
    `${summary.ok} well`,
    counted(summary.warning, 'warning'),
    `${summary.failed} broken`,
    `${summary.notChecked} not checked`,
  ];
  return `${blocks.join('\n')}\nDoctor: ${counts.join(', ')}.\n`;
}
