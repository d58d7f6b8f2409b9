import { type Reader, type Setting, settings } from '../../functions/settings/table.ts';
import { code, row } from './markdown.ts';

const titles: Readonly<Record<Setting['area'], string>> = {
  Kubernetes: 'API server and objects',
  Kafka: 'Brokers',
  Queues: 'Queues',
  Topics: 'What is done, and when',
  Processes: 'Logs, figures, pages',
};

/** Tables of all environment variables, for the README. */
export const settingsTables = (): string =>
  Object.entries(titles)
    .map(([area, title]) => table(title, (setting) => setting.area === area))
    .join('\n\n');

const table = (title: string, isIn: (setting: Setting) => boolean): string => `**${title}**

| variable | it has to be | where it is not set | read by | meaning |
|---|---|---|---|---|
${Object.entries<Setting>(settings)
  .filter(([, setting]) => isIn(setting))
  .map(([name, setting]) => settingRow(name, setting))
  .join('\n')}`;

const settingRow = (name: string, setting: Setting): string =>
  row(code(name), setting.kind.expects, unset(setting), readers(setting.readers), setting.meaning);

function unset({ required = [], readers, fallback, otherwise }: Setting): string {
  const rest = otherwise ?? (fallback === undefined ? '' : code(String(fallback)));
  if (required.length === 0) return rest;
  return required.length === readers.length ? '**required**' : `**required**; ${rest}`;
}

const readers = (list: readonly Reader[]): string => list.join(', ');
