/** A server that speaks like Secrets Manager, for one secret that the test may change. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type SecretServer = {
  readonly arn: string;
  /** for AWS_ENDPOINT_URL_SECRETS_MANAGER */
  readonly endpoint: string;
  /** the text that it gives; an Error: it answers with that, by its name */
  content: string | Error;
  /** how often it was asked */
  reads(): number;
  close(): void;
};

/** @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
export async function startSecretServer(secret: object): Promise<SecretServer> {
  let reads = 0;
  const server = createServer(async (request, response) => {
    const { SecretId } = JSON.parse(await new Response(request as never).text());
    const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue' || SecretId !== it.arn)
      return answer(400, { __type: 'InvalidRequestException', message: 'another request' });
    reads++;
    if (it.content instanceof Error) return answer(400, { __type: it.content.name, message: it.content.message });
    return answer(200, { ARN: it.arn, Name: 'kafka', SecretString: it.content, VersionStages: ['AWSCURRENT'] });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const it: SecretServer = {
    arn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:kafka-AbCdEf',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    content: JSON.stringify(secret),
    reads: () => reads,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return it;
}
