import { type Reader, type Setting, settings } from '../../functions/settings/table.ts';

const titles: Readonly<Record<Setting['area'], string>> = {
  Kubernetes: 'API server and objects',
  Kafka: 'Brokers',
  Queues: 'Queues',
  Topics: 'What is done, and when',
  Processes: 'Logs, figures, pages',
};

const markers = { begin: '<!-- settings -->', end: '<!-- /settings -->' };

/**
 * The README with the tables of all environment variables between its markers.
 *
 * @throws Error when it has no markers
 */
export function withSettings(readme: string): string {
  const [begin, end] = [readme.indexOf(markers.begin), readme.indexOf(markers.end)];
  if (begin < 0 || end < begin) throw new Error(`README.md has to hold ${markers.begin} and then ${markers.end}`);
  return `${readme.slice(0, begin + markers.begin.length)}\n${tables()}\n${readme.slice(end)}`;
}

const tables = (): string =>
  Object.entries(titles)
    .map(([area, title]) => table(title, (setting) => setting.area === area))
    .join('\n\n');

const table = (title: string, isIn: (setting: Setting) => boolean): string => `**${title}**

| variable | it has to be | where it is not set | read by | meaning |
|---|---|---|---|---|
${Object.entries<Setting>(settings)
  .filter(([, setting]) => isIn(setting))
  .map(([name, setting]) => row(name, setting))
  .join('\n')}`;

function row(name: string, setting: Setting): string {
  const cells = [`\`${name}\``, setting.kind.expects, unset(setting), readers(setting.readers), setting.meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function unset({ required = [], readers, fallback, otherwise }: Setting): string {
  const rest = otherwise ?? (fallback === undefined ? '' : `\`${fallback}\``);
  if (required.length === 0) return rest;
  return required.length === readers.length ? '**required**' : `**required**; ${rest}`;
}

const readers = (list: readonly Reader[]): string => list.join(', ');
