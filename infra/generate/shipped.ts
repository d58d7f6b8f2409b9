import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { crd } from './crd.ts';
import { policy } from './policy.ts';
import { grants } from './rbac.ts';

type Queue = { Properties: { QueueName: string } & Record<string, unknown> };

const read = (path: string) => parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));

/** What each queue of `infra/queues.yml` is called in the environment. */
const variables: Record<string, string> = {
  ReconcileQueue: 'RECONCILE_QUEUE_URL',
  ReconcileDeadLetterQueue: 'RECONCILE_DLQ_URL',
  TickQueue: 'TICK_QUEUE_URL',
  TickDeadLetterQueue: 'TICK_DLQ_URL',
};

/**
 * How an installation shall look, from the files that install it, as one JSON file: `doctor` compares with it, and the
 * command line is a single file that carries no others.
 */
export function shipped(): object {
  const { Resources } = read('infra/queues.yml') as { Resources: Record<string, Queue> };
  return {
    definition: crd(),
    policies: policy(),
    rights: Object.fromEntries(
      Object.entries(grants)
        .filter(([who]) => who !== 'tenant')
        .map(([who, rules]) => [who, rules.flatMap(rightsOf)]),
    ),
    queues: Object.fromEntries(Object.entries(Resources).map(([id, queue]) => [variableOf(id), queueOf(id, queue)])),
  };
}

type Grant = (typeof grants)[string][number];

const rightsOf = ({ apiGroups, resources, verbs }: Grant) =>
  apiGroups.flatMap((group) =>
    resources.flatMap((path) => {
      const [resource, subresource] = path.split('/');
      return verbs.map((verb) => ({ group, resource, ...(subresource && { subresource }), verb }));
    }),
  );

/** `timeoutSeconds`: of the function that reads from it, for queues that have one. */
function queueOf(id: string, { Properties }: Queue): object {
  const { QueueName, RedrivePolicy, RedriveAllowPolicy, ...attributes } = Properties;
  const redrive = RedrivePolicy as
    | { deadLetterTargetArn: { 'Fn::GetAtt': [string, 'Arn'] }; maxReceiveCount: number }
    | undefined;
  return {
    name: QueueName,
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)])),
    ...(redrive && {
      deadLetters: variableOf(redrive.deadLetterTargetArn['Fn::GetAtt'][0]),
      maxReceiveCount: redrive.maxReceiveCount,
    }),
    ...timeoutOf(id),
  };
}

function timeoutOf(id: string): { timeoutSeconds?: number } {
  type Event = { sqs?: { arn: { 'Fn::GetAtt': [string, 'Arn'] } } };
  const { functions } = read('serverless.yml') as { functions: Record<string, { timeout: number; events: Event[] }> };
  const reader = Object.values(functions).find(({ events }) =>
    events.some(({ sqs }) => sqs?.arn['Fn::GetAtt'][0] === id),
  );
  return reader === undefined ? {} : { timeoutSeconds: reader.timeout };
}

/** @throws Error for a queue that nobody told `doctor` of */
function variableOf(id: string): string {
  const variable = variables[id];
  if (variable === undefined) throw new Error(`infra/queues.yml has a queue ${id}: name its variable in shipped.ts`);
  return variable;
}
