/** What a function does not load before it needs it; `resync` sends messages, so it needs the SDK at once. */
import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

test('the AWS SDK is not loaded by the function that works on topics when it starts and logs in to EKS and MSK on Lambda', async () => {
  const loaded: string[] = [];
  registerHooks({
    load: (url, context, next) => {
      loaded.push(url);
      return next(url, context);
    },
  });
  const certificate = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64');
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'ASIALAMBDA',
    AWS_SECRET_ACCESS_KEY: 'secret',
    EKS_CLUSTER_NAME: 'prod',
    KUBE_API_SERVER: 'https://abc.eks.amazonaws.com',
    KUBE_CA_DATA: certificate,
    KAFKA_BROKERS: 'b-1:9098',
    KAFKA_TLS: 'true',
    KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM',
  });
  await import('../../functions/reconcile.ts');
  const [{ kafkaConfigFromEnv }, { kubeClient }] = await Promise.all([
    import('../../functions/adapters/kafka/config.ts'),
    import('../../functions/adapters/kube/client.ts'),
  ]);
  assert.ok((await kafkaConfigFromEnv(process.env).login.read()).token);
  const headers: { headers?: { Authorization?: string } } = {};
  await kubeClient(process.env).kubeConfig.applyToHTTPSOptions(headers);
  assert.match(headers.headers?.Authorization ?? '', /^Bearer k8s-aws-v1\./);
  assert.ok(loaded.some((url) => url.includes('/kafkajs/')));
  assert.deepEqual(
    loaded.filter((url) => /\/@(aws-sdk|smithy)\//.test(url)),
    [],
  );
});
