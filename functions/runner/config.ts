/** serverless.yml as the runner needs it: functions, and the queues that feed them. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parse } from 'yaml';

/** One event source mapping and its function, as AWS::Lambda::EventSourceMapping and AWS::Lambda::Function have them. */
export type Mapping = {
  readonly functionName: string;
  /** the file with the handler; it has to be there */
  readonly bundle: string;
  readonly exportName: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly queueUrl: string;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  /** `functionResponseType: ReportBatchItemFailures` */
  readonly partialResponses: boolean;
};

/** The file with its variables resolved, not yet tied to real queues; `env` is where its parameters are. */
export type Service = { readonly folder: string; readonly document: Yaml; readonly env: NodeJS.ProcessEnv };

type Yaml = { readonly [key: string]: unknown };

/**
 * Reads a serverless.yml and resolves the variables it uses: `${env:NAME}`, `${file(path)}`, `${file(path):a.b}`, quoted
 * text, and lists of those, of which the first that is there counts.
 *
 * @param env where `env:` looks, and what a deployment would be given as parameters
 * @throws Error in one line, for other kinds of variables and for those without a value
 * @see https://github.com/oss-serverless/serverless/blob/main/docs/guides/variables.md
 */
export function readService(path: string, env: NodeJS.ProcessEnv): Service {
  const folder = dirname(path);
  const document = asMap(readYaml(path));
  const sections = ['provider', 'functions', 'resources', 'custom'].map((key) => [
    key,
    resolve(document[key], folder, env),
  ]);
  return { folder, env, document: Object.fromEntries(sections) };
}

/** Queues that are defined in the service: logical id → `QueueName`. */
export function queueNames(service: Service): ReadonlyMap<string, string> {
  const queues = Object.entries(inResources(service, 'Resources')).filter(([, { Type }]) => Type === 'AWS::SQS::Queue');
  return new Map(queues.map(([id, { Properties }]) => [id, String(asMap(Properties).QueueName)]));
}

/** What all templates under `resources` have in one section. */
const inResources = ({ document }: Service, section: string): Readonly<Record<string, Yaml>> =>
  Object.assign({}, ...[document.resources].flat().map((template) => asMap(asMap(template)[section])));

/**
 * The event source mappings of all functions with an `sqs` event.
 *
 * In an environment, `Ref` of a queue is its URL, and `Ref` of a parameter the variable of the same name here, else the
 * parameter's default. `custom.runner.environment`, and `custom.runner.functions` for one function, stand before the
 * rest: what only makes sense here.
 *
 * @param urls logical id → URL of the real queue
 * @throws Error in one line when a bundle, a queue or a name is missing
 */
export function mappingsOf(service: Service, urls: ReadonlyMap<string, string>): Mapping[] {
  const provider = asMap(service.document.provider);
  const runner = asMap(asMap(service.document.custom).runner);
  const functions = Object.entries(asMap(service.document.functions));
  return functions.flatMap(([functionName, value]) => {
    const definition = { ...provider, ...asMap(value) };
    const environment = {
      ...asMap(provider.environment),
      ...asMap(asMap(value).environment),
      ...asMap(runner.environment),
      ...asMap(asMap(runner.functions)[functionName]),
    };
    return [definition.events ?? []].flat().flatMap((event) => {
      const sqs = asMap(event).sqs;
      return sqs === undefined || asMap(sqs).enabled === false
        ? []
        : [mapping(service, functionName, { ...definition, environment }, asMap(sqs), urls)];
    });
  });
}

/** Lambda's and Serverless' own defaults where the file says nothing. */
function mapping(
  service: Service,
  functionName: string,
  definition: Yaml,
  sqs: Yaml,
  urls: ReadonlyMap<string, string>,
): Mapping {
  const [id] = [asMap(sqs.arn)['Fn::GetAtt']].flat();
  return {
    functionName,
    ...handlerFile(service.folder, functionName, String(definition.handler)),
    timeoutSeconds: Number(definition.timeout ?? 6),
    memoryMegabytes: Number(definition.memorySize ?? 1024),
    environment: environmentOf(service, functionName, asMap(definition.environment), urls),
    queueUrl: urlOf(`functions.${functionName}.events`, id, urls),
    batchSize: Number(sqs.batchSize ?? 10),
    maximumConcurrency: Number(sqs.maximumConcurrency ?? 1000),
    partialResponses: sqs.functionResponseType === 'ReportBatchItemFailures',
  };
}

function handlerFile(folder: string, functionName: string, handler: string) {
  const dot = handler.lastIndexOf('.');
  const files = ['.js', '.mjs', '.cjs'].map((ending) => join(folder, handler.slice(0, dot) + ending));
  const bundle = files.find((file) => existsSync(file));
  if (bundle === undefined) throw new Error(`function ${functionName}: there is no ${files.at(-1)}; build it first`);
  return { bundle, exportName: handler.slice(dot + 1) };
}

/** As CloudFormation does: values become text. */
function environmentOf(service: Service, functionName: string, environment: Yaml, urls: ReadonlyMap<string, string>) {
  const parameters = inResources(service, 'Parameters');
  const entries = Object.entries(environment).map(([name, value]): [string, string] => {
    if (typeof value !== 'object' || value === null) return [name, String(value ?? '')];
    const id = String(asMap(value).Ref);
    const parameter = parameters[id];
    if (parameter !== undefined) return [name, parameterValue(name, parameter, service.env)];
    return [name, urlOf(`functions.${functionName}.environment.${name}`, id, urls)];
  });
  return Object.fromEntries(entries);
}

function parameterValue(name: string, { Default }: Yaml, env: NodeJS.ProcessEnv): string {
  const value = env[name] ?? Default;
  if (value === undefined) throw new Error(`${name} is not set`);
  return String(value);
}

function urlOf(where: string, id: unknown, urls: ReadonlyMap<string, string>): string {
  const url = typeof id === 'string' ? urls.get(id) : undefined;
  if (url === undefined) throw new Error(`${where}: names no queue that this service defines`);
  return url;
}

const variable = /\$\{((?:env:|file\(|'|")[^}]*)\}/g;

/** Replaces variables at any depth. A text that is nothing but one variable takes its value, of whatever type. */
function resolve(value: unknown, folder: string, env: NodeJS.ProcessEnv): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, folder, env));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, folder, env)]));
  if (typeof value !== 'string') return value;
  const unknown = /\$\{(?!AWS::|env:|file\()\w+[:(][^}]*\}/.exec(value); // without either it is CloudFormation's
  if (unknown !== null) throw new Error(`${unknown[0]}: the runner knows env: and file() variables only`);
  const matches = [...value.matchAll(variable)];
  if (matches.length === 1 && matches[0]?.[0] === value) return firstValue(matches[0][1] ?? '', folder, env);
  return value.replace(variable, (_, sources: string) => String(firstValue(sources, folder, env)));
}

function firstValue(sources: string, folder: string, env: NodeJS.ProcessEnv): unknown {
  for (const source of sources.split(/,\s*/)) {
    const found = sourceValue(source, folder, env);
    if (found !== undefined) return found;
  }
  throw new Error(`\${${sources}} has no value: set ${sources.replaceAll('env:', '').split(/,\s*/).join(' or ')}`);
}

function sourceValue(source: string, folder: string, env: NodeJS.ProcessEnv): unknown {
  if (source.startsWith('env:')) return env[source.slice(4)];
  const text = /^(['"])(.*)\1$/.exec(source);
  if (text !== null) return text[2];
  const [, file = '', path] = /^file\(([^)]+)\)(?::(.+))?$/.exec(source) ?? [];
  const content = resolve(readYaml(isAbsolute(file) ? file : join(folder, file)), folder, env);
  return (path?.split('.') ?? []).reduce((value: unknown, key) => asMap(value)[key], content);
}

/** Short forms of CloudFormation's functions, as in `!GetAtt Queue.Arn`. */
const tags = [
  { tag: '!Ref', resolve: (id: string) => ({ Ref: id }) },
  { tag: '!GetAtt', resolve: (path: string) => ({ 'Fn::GetAtt': path.split('.') }) },
  { tag: '!Sub', resolve: (text: string) => ({ 'Fn::Sub': text }) },
];

const readYaml = (path: string): unknown => parse(readFileSync(path, 'utf8'), { customTags: tags });
const asMap = (value: unknown): Yaml => (typeof value === 'object' && value !== null ? (value as Yaml) : {});
