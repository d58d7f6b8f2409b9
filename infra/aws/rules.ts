/** What the template must keep to, beside what cfn-lint knows: a function per rule, which says what breaks it. */
import type { Resource, Template } from './template.ts';

type Rule = (template: Template) => readonly string[];
type Value = { readonly [key: string]: unknown };

/** @returns a line for each thing that breaks a rule, with the resource it is about; none when all is well */
export const complaints = (template: Template): readonly string[] => rules.flatMap((rule) => rule(template));

/** A request that its sender gave up on may still take effect for so long (DESIGN, invariant 6). */
const requestLifetimeSeconds = 60;

/** The service cannot make network interfaces with less (cf. infra/iam.yml), so they have to be denied to the code. */
const needsAllResources =
  /^ec2:(Create|Describe|Delete)NetworkInterfaces?$|^ec2:DescribeSubnets$|^ec2:(Una|A)ssignPrivateIpAddresses$/;

const rules: readonly Rule[] = [
  function wildcards(template) {
    return statements(template).flatMap(({ where, statement, policy }) => {
      if (statement.Effect !== 'Allow') return [];
      const actions = texts(statement.Action);
      const wide = actions.filter((action) => action.includes('*')).map((action) => `${where}: allows ${action}`);
      const isTopics = actions.every((action) => /^kafka-cluster:\w*Topic\w*$/.test(action));
      const isNetwork = actions.every((action) => needsAllResources.test(action)) && isDeniedToCode(actions, policy);
      const anything = texts(statement.Resource).some((text) => text.includes('*')) && !isTopics && !isNetwork;
      return [...wide, ...(anything ? [`${where}: allows ${actions.join(', ')} on *`] : [])];
    });
  },

  function principals(template) {
    return statements(template).flatMap(({ where, statement, type }) => {
      if (statement.Effect !== 'Allow' || statement.Principal === undefined) return [];
      const named = flat(asValue(statement.Principal).AWS ?? []);
      const isService = type === 'AWS::IAM::Role' && typeof asValue(statement.Principal).Service === 'string';
      const isExact = named.length > 0 && named.every((one) => isRole(one, template));
      return isService || isExact ? [] : [`${where}: has to name its principals by their roles`];
    });
  },

  function tlsOnly(template) {
    return ofType(template, 'AWS::SQS::Queue').flatMap(([queue]) => {
      const denies = statements(template).some(
        ({ statement, queues }) =>
          queues.includes(queue) &&
          statement.Effect === 'Deny' &&
          statement.Principal === '*' &&
          statement.Action === 'sqs:*' &&
          referenced(statement.Resource) === queue &&
          JSON.stringify(statement.Condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
      );
      return denies ? [] : [`${queue}: does not deny requests without TLS`];
    });
  },

  function encryption(template) {
    return ofType(template, 'AWS::SQS::Queue').flatMap(([queue, { SqsManagedSseEnabled, KmsMasterKeyId }]) =>
      SqsManagedSseEnabled === true || KmsMasterKeyId !== undefined ? [] : [`${queue}: is not encrypted`],
    );
  },

  function deadLetters(template) {
    return mappings(template).flatMap(({ queue }) => {
      const properties = propertiesOf(template, queue);
      const target = referenced(asValue(properties.RedrivePolicy).deadLetterTargetArn);
      if (target === undefined) return [`${queue}: has no dead-letter queue`];
      const allow = asValue(propertiesOf(template, target).RedriveAllowPolicy);
      const [source, ...more] = texts(allow.sourceQueueArns);
      const isExact = allow.redrivePermission === 'byQueue' && more.length === 0;
      const named = source?.split(':').at(-1) === nameOf(properties.QueueName);
      return isExact && named ? [] : [`${target}: has to name ${queue} as its only source`];
    });
  },

  function visibility(template) {
    return mappings(template).flatMap(({ queue, timeout }) => {
      const seconds = Number(propertiesOf(template, queue).VisibilityTimeout ?? 30);
      const least = Math.max(6 * timeout, timeout + requestLifetimeSeconds);
      return seconds >= least ? [] : [`${queue}: VisibilityTimeout is ${seconds}, it has to be ${least} at least`];
    });
  },

  function eventSources(template) {
    return mappings(template).flatMap(({ id, properties, reserved }) => {
      const most = Number(asValue(properties.ScalingConfig).MaximumConcurrency ?? Number.NaN);
      return [
        ...(texts(properties.FunctionResponseTypes).includes('ReportBatchItemFailures')
          ? []
          : [`${id}: has no ReportBatchItemFailures, so one failure fails its whole batch`]),
        ...(most > 0 ? [] : [`${id}: has no MaximumConcurrency`]),
        ...(most > reserved
          ? [`${id}: MaximumConcurrency is above the reserved ${reserved}: throttled is received`]
          : []),
        ...(properties.FilterCriteria === undefined ? [] : [`${id}: what a filter leaves out is deleted for good`]),
      ];
    });
  },

  function functions(template) {
    const all = ofType(template, 'AWS::Lambda::Function');
    const roles = all.map(([, { Role }]) => referenced(Role));
    return all.flatMap(([id, properties], index) => [
      ...['MemorySize', 'Timeout', 'ReservedConcurrentExecutions']
        .filter((name) => typeof properties[name] !== 'number')
        .map((name) => `${id}: has no ${name}`),
      ...(roles.indexOf(roles[index]) === index ? [] : [`${id}: shares its role with another function`]),
      ...secrets(id, asValue(asValue(properties.Environment).Variables)),
    ]);
  },

  function logs(template) {
    const groups = ofType(template, 'AWS::Logs::LogGroup').filter(([, group]) => group.RetentionInDays !== undefined);
    const names = groups.map(([, { LogGroupName }]) => nameOf(LogGroupName));
    return ofType(template, 'AWS::Lambda::Function')
      .filter(([, { FunctionName }]) => !names.includes(`/aws/lambda/${nameOf(FunctionName)}`))
      .map(([id]) => `${id}: has no log group with RetentionInDays`);
  },
];

const isSecretName = /PASSWORD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY/;
const isSecretText = /-----BEGIN |\bAKIA[0-9A-Z]{16}\b|\{\{resolve:/;

/** Whoever may read a function's configuration reads its environment: an ARN may stand there, what it leads to may not. */
function secrets(id: string, variables: Value): readonly string[] {
  return Object.entries(variables)
    .filter(([name, value]) => {
      const reference = asValue(value).Ref;
      const isArn = typeof reference === 'string' && reference.endsWith('Arn');
      return (isSecretName.test(name) && !isArn) || texts(value).some((text) => isSecretText.test(text));
    })
    .map(([name]) => `${id}: ${name} holds a secret in plain text`);
}

/** Lambda's own calls carry no source function: denied is only what the function itself would ask for. */
function isDeniedToCode(actions: readonly string[], policy: readonly Value[]): boolean {
  const denied = policy.filter(
    ({ Effect, Condition }) =>
      Effect === 'Deny' && asValue(asValue(Condition).ArnEquals)['lambda:SourceFunctionArn'] !== undefined,
  );
  return actions.every((action) => denied.some(({ Action }) => texts(Action).includes(action)));
}

type Statement = {
  readonly where: string;
  readonly type: string;
  readonly statement: Value;
  /** all of its policy */
  readonly policy: readonly Value[];
  /** that it is attached to */
  readonly queues: readonly (string | undefined)[];
};

/** Every statement of every policy, whatever conditions it depends on. */
function statements({ Resources }: Template): readonly Statement[] {
  return Object.entries(Resources).flatMap(([id, { Type: type, Properties = {} }]) => {
    const inline = flat(Properties.Policies ?? []).map((policy) => asValue(policy).PolicyDocument);
    const documents = [Properties.PolicyDocument, Properties.AssumeRolePolicyDocument, ...inline];
    const queues = flat(Properties.Queues ?? []).map(referenced);
    return documents.flatMap((document) => {
      const policy = flat(asValue(document).Statement ?? []).map(asValue);
      return policy.map((statement) => ({ where: id, type, statement, policy, queues }));
    });
  });
}

/** Event source mappings with what they tie together. */
const mappings = (template: Template) =>
  ofType(template, 'AWS::Lambda::EventSourceMapping').map(([id, properties]) => {
    const lambda = propertiesOf(template, referenced(properties.FunctionName));
    return {
      id,
      properties,
      queue: String(referenced(properties.EventSourceArn)),
      timeout: Number(lambda.Timeout),
      reserved: Number(lambda.ReservedConcurrentExecutions ?? Number.POSITIVE_INFINITY),
    };
  });

const ofType = ({ Resources }: Template, type: string): readonly (readonly [string, Value])[] =>
  Object.entries(Resources)
    .filter(([, { Type }]: [string, Resource]) => Type === type)
    .map(([id, { Properties = {} }]) => [id, Properties] as const);

const propertiesOf = ({ Resources }: Template, id: string | undefined): Value =>
  (id === undefined ? undefined : Resources[id]?.Properties) ?? {};

/** Items of a list, of one that is not in a list, and of both branches of a condition. */
const flat = (list: unknown): readonly unknown[] =>
  [list].flat().flatMap((item) => {
    const [, yes, no] = [asValue(item)['Fn::If']].flat();
    return yes === undefined ? (asValue(item).Ref === 'AWS::NoValue' ? [] : [item]) : [...flat(yes), ...flat(no)];
  });

/** A role of this template, or one that the deployment names. */
const isRole = (value: unknown, { Resources }: Template): boolean =>
  Resources[String(referenced(value))]?.Type === 'AWS::IAM::Role' || asValue(value).Ref === 'ForwarderRoleArn';

/** The resource that a value is the ARN or the reference of. */
function referenced(value: unknown): string | undefined {
  const { Ref, 'Fn::GetAtt': attribute } = asValue(value);
  const [id] = [attribute ?? Ref].flat();
  return typeof id === 'string' ? id : undefined;
}

/** All text in a value, at any depth. */
const texts = (value: unknown): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : Object.values(typeof value === 'object' && value !== null ? value : {}).flatMap(texts);

/** A name, or the pattern that it is made by. */
const nameOf = (value: unknown): string => String(asValue(value)['Fn::Sub'] ?? value);

const asValue = (value: unknown): Value => (typeof value === 'object' && value !== null ? (value as Value) : {});
