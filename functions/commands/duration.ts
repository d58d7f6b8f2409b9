/** Times as people type them. */
import { Problem } from './command.ts';

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90`, `90s`, `5m`, `1h` or `7d` behind `flag`. @returns ms @throws Problem that names the flag */
export function duration(flag: string, text: string): number {
  const [, number, unit = 's'] = /^(\d{1,6})([smhd])?$/.exec(text) ?? [];
  if (number === undefined) throw new Problem(`${flag} is "${text}": it has to be as in 90s, 5m, 1h or 7d`);
  return Number(number) * units[unit as keyof typeof units];
}
