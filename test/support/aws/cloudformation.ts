/** A template with its parameters filled in, as CloudFormation would have it: conditions decided, references ARNs or names. */
import assert from 'node:assert/strict';
import type { Resource, Template } from '../../../infra/aws/template.ts';

export const account = '111122223333';
export const region = 'eu-west-1';

const pseudo: Readonly<Record<string, string>> = {
  'AWS::AccountId': account,
  'AWS::Region': region,
  'AWS::Partition': 'aws',
  'AWS::StackName': 'topicsmith',
};

/** What is required, as somebody would have it who uses MSK with IAM. */
export const given: Readonly<Record<string, string>> = {
  CodeBucket: 'code',
  EksClusterName: 'main',
  KubeApiServer: 'https://EXAMPLE.gr7.eu-west-1.eks.amazonaws.com',
  KubeCaData: 'LS0tLS1CRUdJTg==',
  KafkaBrokers: 'b-1.main.example.kafka.eu-west-1.amazonaws.com:9098',
  MskClusterArn: `arn:aws:kafka:${region}:${account}:cluster/main/11111111-2222-3333-4444-555555555555-1`,
};

type Value = { readonly [key: string]: unknown };
const noValue = Symbol('AWS::NoValue');

/** Intrinsic functions, as their page says: docs.aws.amazon.com/AWSCloudFormation, "Intrinsic function reference". */
class Evaluation {
  readonly #template: Template;
  readonly #parameters: ReadonlyMap<string, unknown>;

  constructor(template: Template, parameters: Readonly<Record<string, string>>) {
    this.#template = template;
    this.#parameters = new Map(
      Object.entries(template.Parameters ?? {}).map(([name, { Type, Default }]) => {
        const value = parameters[name] ?? Default;
        assert.notEqual(value, undefined, `the parameter ${name} is needed`);
        return [name, Type === 'CommaDelimitedList' ? String(value).split(',') : value];
      }),
    );
  }

  condition(name: string): boolean {
    const conditions = this.#template.Conditions as Value;
    assert.ok(name in conditions, `there is no condition ${name}`);
    return this.value(conditions[name]) as boolean;
  }

  value(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.value(item)).filter((item) => item !== noValue);
    if (typeof value !== 'object' || value === null) return value;
    const [[name, argument] = ['', undefined], ...more] = Object.entries(value);
    if (more.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) return this.#call(name, argument);
    const entries = Object.entries(value).map(([key, item]) => [key, this.value(item)] as const);
    return Object.fromEntries(entries.filter(([, item]) => item !== noValue));
  }

  #call(name: string, argument: unknown): unknown {
    const list = Array.isArray(argument) ? argument : [argument];
    switch (name) {
      case 'Ref':
        return this.#ref(String(argument));
      case 'Fn::GetAtt':
        return this.#attribute(String(list[0]), String(list[1]));
      case 'Fn::Sub':
        return String(argument).replaceAll(/\$\{([^}]+)\}/g, (_, id: string) => String(this.#ref(id)));
      case 'Fn::If':
        return this.value(this.condition(String(list[0])) ? list[1] : list[2]);
      case 'Fn::Equals':
        return this.value(list[0]) === this.value(list[1]);
      case 'Fn::Not':
        return !this.value(list[0]);
      case 'Fn::Contains':
        return (this.value(list[0]) as unknown[]).includes(this.value(list[1]));
      case 'Fn::Join':
        return (this.value(list[1]) as unknown[]).join(String(list[0]));
      case 'Fn::Split':
        return String(this.value(list[1])).split(String(list[0]));
      case 'Fn::Select': {
        const chosen = (this.value(list[1]) as unknown[])[Number(list[0])];
        assert.notEqual(chosen, undefined, 'Fn::Select cannot select nonexistent value');
        return chosen;
      }
      default:
        return assert.fail(`the template uses ${name}`);
    }
  }

  #ref(id: string): unknown {
    if (id === 'AWS::NoValue') return noValue;
    if (id in pseudo) return pseudo[id];
    if (this.#parameters.has(id)) return this.#parameters.get(id);
    const resource = this.#resource(id);
    if (resource.Type === 'AWS::SQS::Queue')
      return `https://sqs.${region}.amazonaws.com/${account}/${this.#nameOf(resource)}`;
    return resource.Type === 'AWS::IAM::ManagedPolicy'
      ? `arn:aws:iam::${account}:policy/${id}`
      : this.#nameOf(resource);
  }

  #attribute(id: string, attribute: string): string {
    const resource = this.#resource(id);
    if (attribute === 'QueueName') return this.#nameOf(resource);
    assert.equal(attribute, 'Arn');
    switch (resource.Type) {
      case 'AWS::SQS::Queue':
        return `arn:aws:sqs:${region}:${account}:${this.#nameOf(resource)}`;
      case 'AWS::IAM::Role':
        return `arn:aws:iam::${account}:role/${id}`;
      case 'AWS::Lambda::Function':
        return `arn:aws:lambda:${region}:${account}:function:${this.#nameOf(resource)}`;
      case 'AWS::Logs::LogGroup':
        return `arn:aws:logs:${region}:${account}:log-group:${this.#nameOf(resource)}:*`;
      default:
        return assert.fail(`${resource.Type} has no ARN here`);
    }
  }

  #resource(id: string): Resource {
    const resource = this.#template.Resources[id];
    assert.ok(resource !== undefined, `there is no ${id}`);
    assert.ok(resource.Condition === undefined || this.condition(resource.Condition), `${id} is not made, but named`);
    return resource;
  }

  #nameOf({ Properties: { QueueName, FunctionName, LogGroupName } = {} }: Resource): string {
    return String(this.value(QueueName ?? FunctionName ?? LogGroupName));
  }
}

/**
 * @param parameters over `given`
 * @returns resources that are made, with their properties
 */
export function deployed(template: Template, parameters: Readonly<Record<string, string>> = {}) {
  const evaluation = new Evaluation(template, { ...given, ...parameters });
  const made = Object.entries(template.Resources).filter(
    ([, { Condition }]) => Condition === undefined || evaluation.condition(Condition),
  );
  const resources = made.map(([id, { Type, Properties }]) => [
    id,
    { Type, Properties: evaluation.value(Properties ?? {}) as Value },
  ]);
  return {
    resources: Object.fromEntries(resources) as Readonly<Record<string, { Type: string; Properties: Value }>>,
    outputs: evaluation.value(template.Outputs) as Readonly<Record<string, { readonly Value: unknown }>>,
    /** what a deployment with these parameters is refused for */
    refusals: Object.values(evaluation.value(template.Rules) as Record<string, DeploymentRule>).flatMap((rule) =>
      rule.RuleCondition === false
        ? []
        : rule.Assertions.filter(({ Assert }) => !Assert).map(({ AssertDescription }) => AssertDescription),
    ),
  };
}

type DeploymentRule = {
  readonly RuleCondition?: boolean;
  readonly Assertions: readonly { readonly Assert: boolean; readonly AssertDescription: string }[];
};
