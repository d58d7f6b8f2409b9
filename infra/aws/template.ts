/** The template for CloudFormation: osls makes it of serverless.yml, and what differs from run to run is settled here. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { run } from '../local/process.ts';

export type Resource = {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
};
export type Template = {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
  readonly [section: string]: unknown;
};

/**
 * Runs `osls package`, without network, credentials or anything of the caller's environment. Everything that an
 * installation decides is a parameter, so there is one template for all.
 *
 * @param root with serverless.yml and the zips that it names
 * @throws Error with what osls says is wrong
 */
export async function oslsTemplate(root: string): Promise<Template> {
  const folder = mkdtempSync(join(tmpdir(), 'topicsmith-osls-'));
  try {
    const osls = join(root, 'node_modules', 'osls', 'bin', 'serverless.js');
    await run(process.execPath, [osls, 'package', '--package', folder], {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: folder },
    });
    return JSON.parse(readFileSync(join(folder, 'cloudformation-template-update-stack.json'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sections of a template that osls does not let through. */
export const extraSections = (root: string) => {
  const { Rules } = parse(readFileSync(join(root, 'infra', 'parameters.yml'), 'utf8'));
  return { Rules };
};

/**
 * The template as it is published.
 *
 * osls puts the time into each `S3Key`: here it is the name of the zip, which is made of its content, so a function is
 * deployed again when it changed and only then. Its bucket becomes a parameter, and so does what names of queues begin
 * with: `infra/queues.yml` has them as they are on one machine.
 *
 * @param zips logical id of a function → file name of its zip
 * @param extra sections to add
 */
export function settled(template: Template, zips: ReadonlyMap<string, string>, extra: object): Template {
  const { ServerlessDeploymentBucketName: _, ...Outputs } = template.Outputs ?? {};
  const Resources = Object.entries(template.Resources).map(([id, resource]) => {
    const zip = zips.get(id);
    const settledOne = withQueuePrefix(withoutDoubledDependencies(resource));
    return [id, zip === undefined ? settledOne : withCode(settledOne, zip)];
  });
  return {
    ...template,
    Description: 'Topicsmith: keeps Kafka topics in order from Kubernetes',
    ...extra,
    Resources: Object.fromEntries(Resources),
    Outputs,
  };
}

const withCode = (resource: Resource, zip: string): Resource => ({
  ...resource,
  Properties: {
    ...resource.Properties,
    Code: { S3Bucket: { Ref: 'CodeBucket' }, S3Key: { 'Fn::Sub': `\${CodePrefix}${zip}` } },
  },
});

function withQueuePrefix(resource: Resource): Resource {
  const { QueueName, RedriveAllowPolicy } = resource.Properties ?? {};
  if (resource.Type !== 'AWS::SQS::Queue') return resource;
  const sources = JSON.stringify(RedriveAllowPolicy)?.replaceAll(/:([\w-]+\.fifo)"/g, `:\${QueuePrefix}$1"`);
  return {
    ...resource,
    Properties: {
      ...resource.Properties,
      QueueName: { 'Fn::Sub': `\${QueuePrefix}${QueueName}` },
      ...(sources !== undefined && { RedriveAllowPolicy: JSON.parse(sources) }),
    },
  };
}

/** A dependency that a reference says already is left out: cfn-lint warns of it. */
function withoutDoubledDependencies(resource: Resource): Resource {
  const { DependsOn, ...rest } = resource;
  const text = JSON.stringify(rest);
  const left = [DependsOn ?? []].flat().filter((id) => !text.includes(`{"Fn::GetAtt":["${id}",`));
  return left.length === 0 ? rest : { ...rest, DependsOn: left };
}
