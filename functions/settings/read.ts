/** From the environment to settings, or to a line for each thing that is wrong with it. Pure. */
import { Unfit } from './kinds.ts';
import { rules, type Values } from './rules.ts';
import { type Name, type NameOf, namesOf, type Reader, type Setting, type Settings, settings } from './table.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** What is wrong with the environment; each problem is one line that names a variable and what it has to be. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/**
 * What a reader is told by the environment. A variable that is empty is not set: serverless.yml and Helm pass such.
 *
 * @param names those of the reader to look at, and the rules between them; default: all
 * @throws SettingsError with everything that is wrong
 */
export function readSettings<R extends Reader, N extends NameOf<R> = NameOf<R>>(
  env: Env,
  reader: R,
  names: readonly N[] = namesOf(reader) as readonly N[],
): Settings<R, N> {
  const { values, problems } = settingsIn(env, reader, names);
  if (problems.length > 0) throw new SettingsError(problems);
  return values as Settings<R, N>;
}

/** As `readSettings`; where there are problems, `values` lacks what is wrong. */
export function settingsIn(
  env: Env,
  reader: Reader,
  names: readonly Name[] = namesOf(reader),
): { readonly values: Values; readonly problems: readonly string[] } {
  const read = names.map((name) => ({ name, value: settingOf(settings[name], reader, env[name]) }));
  const wrong = read.filter(({ value }) => value instanceof Unfit).map(({ name }) => name);
  const values = Object.fromEntries(read.map(({ name, value }) => [name, value instanceof Unfit ? undefined : value]));
  const broken = rules
    .filter(({ about }) => !about.some((name) => wrong.includes(name)))
    .flatMap((rule) => rule.broken(values) ?? []);
  return { values, problems: [...wrong.map((name) => problemOf(name, env[name])), ...broken] };
}

function settingOf(setting: Setting, reader: Reader, text = ''): unknown {
  if (text !== '') return setting.kind.read(text);
  return setting.required?.includes(reader) ? new Unfit('') : setting.fallback;
}

function problemOf(name: Name, text = ''): string {
  const { kind, secret }: Setting = settings[name];
  if (text === '') return `${name} is not set: it has to be ${kind.expects}`;
  if (secret) return `${name} is something else (not shown, it may be a secret): it has to be ${kind.expects}`;
  const value = kind.read(text);
  const part = value instanceof Unfit ? value.part : text;
  return `${name} ${part === text ? 'is' : 'has'} ${shown(part)}: it has to be ${kind.expects}`;
}

/** A value in one line and of bearable length, without what stands before an `@`: that may be a login. */
function shown(text: string): string {
  const safe = text.slice(0, 2_000).replace(/[^\s,/]*@/g, '***@');
  return JSON.stringify(safe.length > 100 ? `${safe.slice(0, 100)}…` : safe);
}
