/**
 * TLS that must not succeed, on real sockets, for each of the three servers that we talk to. The oracle is the server: it
 * never receives a byte, so neither credentials nor requests went out.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, createServer, getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls';
import { stringify } from 'yaml';
import { kafkaConfigFromEnv } from '../../functions/adapters/kafka/config.ts';
import { connectTopics } from '../../functions/adapters/kafka/topics.ts';
import { kubeClient, topicsPath } from '../../functions/adapters/kube/client.ts';
import { failureOf } from '../../functions/adapters/kube/failure.ts';
import { queueDepth, requestQueue, sqsClient } from '../../functions/adapters/sqs.ts';
import { asFailure, Failure } from '../../functions/core/outcome.ts';
import { readSettings, SettingsError } from '../../functions/settings/read.ts';
import { authority, type Certified, selfSigned } from '../support/certificates.ts';

const dir = mkdtempSync(join(tmpdir(), 'topicsmith-tls-'));
const ours = authority();
const other = authority('another authority');
const impostor = authority();
const caFile = join(dir, 'ca.pem');
const wellKnown = getCACertificates('default');

before(() => {
  writeFileSync(caFile, ours.cert);
  // what `NODE_EXTRA_CA_CERTS` does at the start of a process: the SDK has no other way to learn of an authority
  setDefaultCACertificates([...wellKnown, ours.cert]);
});
after(() => {
  setDefaultCACertificates(wellKnown);
  rmSync(dir, { recursive: true });
});

const never = () => AbortSignal.timeout(20_000);

/** What each client says of a server at this port, or `accepted`. */
const clients = {
  async 'API server'(port: number): Promise<string> {
    const file = join(dir, 'kubeconfig');
    const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority': caFile };
    writeFileSync(
      file,
      stringify({
        clusters: [{ name: 'x', cluster }],
        users: [{ name: 'x', user: { token: 'secret' } }],
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
        'current-context': 'x',
      }),
    );
    const client = kubeClient({ KUBECONFIG: file });
    try {
      await client.request('GET', topicsPath(), { signal: never() });
      return 'accepted';
    } catch (error) {
      return failureOf(error).message;
    } finally {
      await client.close();
    }
  },
  async Kafka(port: number): Promise<string> {
    const env = { KAFKA_BROKERS: `127.0.0.1:${port}`, KAFKA_TLS: 'true', KAFKA_CA_FILE: caFile };
    const topics = connectTopics(kafkaConfigFromEnv(env));
    try {
      const seen = (await topics.observe([{ topicName: 't', configs: [] }], never())).get('t');
      return seen instanceof Failure ? seen.message : 'accepted';
    } finally {
      await topics.close();
    }
  },
  async SQS(port: number): Promise<string> {
    const env = { SQS_ENDPOINT: `https://127.0.0.1:${port}` };
    Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'secret' });
    const sqs = sqsClient(env);
    try {
      await queueDepth(sqs, `${env.SQS_ENDPOINT}/1/reconcile.fifo`, never());
      return 'accepted';
    } catch (error) {
      return asFailure(error).message;
    } finally {
      sqs.destroy();
    }
  },
} as const;

/** @returns what the client says, and how many bytes the server got to read */
async function meet(client: (port: number) => Promise<string>, options: TlsOptions) {
  let received = 0;
  const server = createServer(options, (socket) => {
    socket.on('data', (data) => {
      received += data.length;
      socket.destroy();
    });
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return { says: await client((server.address() as AddressInfo).port), received };
  } finally {
    server.close();
  }
}

const oneClearLine =
  /^(?:TLS to Kafka fails|The API server does not answer: TLS fails|The queue reconcile\.fifo cannot be reached): (\w+)$/;

const day = 86_400_000;
const at = (days: number) => new Date(Date.now() + days * day);
const by = ({ cert, key }: Certified): TlsOptions => ({ cert, key });

/** TLS 1.1, as OpenSSL 3 still speaks it to those who insist. */
const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;

type Case = { readonly reason: string; readonly server: () => TlsOptions; readonly says: string | RegExp };

const refused: readonly Case[] = [
  {
    reason: 'a certificate for another host',
    server: () => by(ours.issue({ host: 'elsewhere.example.com' })),
    says: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    reason: 'a certificate for another address',
    server: () => by(ours.issue({ host: '10.1.2.3' })),
    says: 'ERR_TLS_CERT_ALTNAME_INVALID',
  },
  {
    reason: 'a certificate that vouches for itself',
    server: () => by(selfSigned()),
    says: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  },
  {
    reason: 'a certificate that has expired',
    server: () => by(ours.issue({ notBefore: at(-2), notAfter: at(-1) })),
    says: 'CERT_HAS_EXPIRED',
  },
  {
    reason: 'a certificate that is not valid yet',
    server: () => by(ours.issue({ notBefore: at(1), notAfter: at(2) })),
    says: 'CERT_NOT_YET_VALID',
  },
  {
    reason: 'a certificate of another authority',
    server: () => by(other.issue()),
    says: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  },
  {
    reason: 'a certificate of another authority that has the same name',
    server: () => by(impostor.issue()),
    says: 'CERT_SIGNATURE_FAILURE',
  },
  {
    reason: 'a server that goes down to TLS 1.1',
    server: () => ({ ...by(ours.issue()), ...old }),
    says: /EPROTO|PROTOCOL_VERSION/,
  },
];

for (const [who, client] of Object.entries(clients))
  describe(`TLS to ${who}`, () => {
    test('T131: a certificate of the authority that we were given is accepted', async () => {
      const { received } = await meet(client, by(ours.issue()));
      assert.ok(received > 0);
    });

    for (const { reason, server, says } of refused)
      for (const env of [undefined, '0'])
        test(`T131: ${reason} is refused${env === '0' ? ', also with NODE_TLS_REJECT_UNAUTHORIZED=0' : ''}`, async () => {
          if (env !== undefined) process.env.NODE_TLS_REJECT_UNAUTHORIZED = env;
          try {
            const met = await meet(client, server());
            assert.equal(met.received, 0);
            const [, code = ''] = oneClearLine.exec(met.says) ?? assert.fail(met.says);
            assert.match(code, new RegExp(says));
          } finally {
            delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
          }
        });
  });

test('the server that goes down to TLS 1.1 does so with who goes along', async () => {
  const careless = async (port: number) => {
    const socket = connect({ host: '127.0.0.1', port, ca: ours.cert, ...old });
    await once(socket, 'secureConnect');
    const protocol = socket.getProtocol();
    socket.end('x');
    await once(socket, 'close');
    return protocol ?? '';
  };
  assert.deepEqual(await meet(careless, { ...by(ours.issue()), ...old }), { says: 'TLSv1.1', received: 1 });
});

for (const who of ['API server', 'Kafka'] as const)
  test(`T131: where an authority was given, no other one counts, not even a well-known one: ${who}`, async () => {
    setDefaultCACertificates([...wellKnown, ours.cert, other.cert]);
    try {
      const { received } = await meet(clients[who], by(other.issue()));
      assert.equal(received, 0);
    } finally {
      setDefaultCACertificates([...wellKnown, ours.cert]);
    }
  });

describe('without TLS', () => {
  const kubeconfig = (cluster: object): string => {
    const file = join(dir, 'unchecked');
    const context = { cluster: 'x', user: 'x' };
    const contexts = [{ name: 'x', context }];
    writeFileSync(file, stringify({ clusters: [{ name: 'x', cluster }], users: [], contexts, 'current-context': 'x' }));
    return file;
  };

  for (const cluster of [
    { server: 'https://api.example.com', 'insecure-skip-tls-verify': true },
    { server: 'http://api.example.com' },
    { server: 'http://127.0.0.1.example.com:8001', 'insecure-skip-tls-verify': true },
  ])
    test(`T131: a kubeconfig with ${JSON.stringify(cluster)} is refused in one line`, () => {
      const KUBECONFIG = kubeconfig(cluster);
      assert.throws(() => kubeClient({ KUBECONFIG }), {
        message: `the kubeconfig ${KUBECONFIG} would send credentials to ${cluster.server} without checking its certificate: use https with certificate-authority-data, and no insecure-skip-tls-verify`,
      });
    });

  test('T131: a server that is no URL is refused in one line', () => {
    assert.throws(() => kubeClient({ KUBECONFIG: kubeconfig({ server: 'api.example.com' }) }), /it has to be a URL$/);
  });

  const urls = ['http://queue.example.com', 'http://127.0.0.1.example.com', 'http://10.0.0.1:9324', 'ftp://queue/x'];
  for (const url of urls)
    test(`T132: ${url} is refused as an endpoint and as a queue`, () => {
      const says = /is "[^"]+": use https; plain http is for this machine, or with SQS_ALLOW_HTTP=true/;
      assert.throws(() => sqsClient({ SQS_ENDPOINT: url }), says);
      assert.throws(() => requestQueue(sqsClient({}), `${url}/1/q.fifo`), says);
      const settings = { SQS_ENDPOINT: url, RECONCILE_QUEUE_URL: `${url}/1/q.fifo`, TICK_QUEUE_URL: `${url}/1/t.fifo` };
      assert.throws(() => readSettings(settings, 'forwarder'), SettingsError);
    });

  test('T132: SQS_ALLOW_HTTP=true lets a queue server in the same network be asked, and only http', () => {
    const base = 'http://elasticmq.topicsmith.svc:9324';
    const env = { SQS_ENDPOINT: base, RECONCILE_QUEUE_URL: `${base}/0/r.fifo`, TICK_QUEUE_URL: `${base}/0/t.fifo` };
    const sqs = sqsClient(readSettings({ ...env, SQS_ALLOW_HTTP: 'true' }, 'forwarder'));
    assert.doesNotThrow(() => requestQueue(sqs, env.RECONCILE_QUEUE_URL));
    assert.throws(() => requestQueue(sqs, 'ftp://elasticmq/0/reconcile.fifo'), /use https/);
    assert.throws(() => requestQueue(sqsClient({}), 'http://elasticmq/0/q.fifo'), /use https/);
    assert.throws(() => readSettings(env, 'forwarder'), {
      problems: ['SQS_ENDPOINT', 'RECONCILE_QUEUE_URL', 'TICK_QUEUE_URL'].map(
        (name) =>
          `${name} has plain http to another machine: use https, or SQS_ALLOW_HTTP=true in a network that is trusted`,
      ),
    });
  });
});
