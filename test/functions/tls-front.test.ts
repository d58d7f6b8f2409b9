/** The TLS front as a process, with the certificates that the chart makes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { freePorts } from '../../infra/local/ports.ts';
import { temporary } from '../local/support.ts';
import { helm, rendered, withoutAws } from '../support/cluster/helm.ts';

const program = join(import.meta.dirname, '..', '..', 'functions', 'tls-front.ts');
const name = 'topicsmith-elasticmq.topicsmith-system.svc';

type Certificate = { readonly 'ca.crt': string; readonly 'tls.crt': string; readonly 'tls.key': string };

describe('the TLS front', () => {
  const place = temporary();
  const [cert, key] = ['tls.crt', 'tls.key'].map((file) => join(place.path, file)) as [string, string];
  let behind: Server;
  let front: ChildProcess;
  let port: number;
  let current: Certificate;

  const newCertificate = async (): Promise<Certificate> => {
    const manifests = await rendered(await helm(place.path), withoutAws('kafka:9092'));
    const { data } = manifests.find(({ kind }) => kind === 'Secret') as unknown as { data: Record<string, string> };
    const decoded = Object.entries(data).map(([file, content]) => [file, Buffer.from(content, 'base64').toString()]);
    return Object.fromEntries(decoded);
  };
  const install = (certificate: Certificate) => {
    writeFileSync(cert, certificate['tls.crt']);
    writeFileSync(key, certificate['tls.key']);
  };
  /** What the server behind it answers to a client that trusts this authority. */
  const ask = async (ca: string | undefined, servername = name): Promise<string> => {
    const call = request({ host: '127.0.0.1', port, servername, ca, method: 'POST', agent: false });
    call.end('hello');
    const [answer] = (await once(call, 'response')) as [NodeJS.ReadableStream];
    return text(answer);
  };

  before(async () => {
    behind = createServer(async (incoming, answer) => answer.end(`got ${await text(incoming)}`)).listen(0, '127.0.0.1');
    current = await newCertificate();
    install(current);
    [port = 0] = await freePorts(1);
    const to = `127.0.0.1:${(behind.address() as AddressInfo).port}`;
    const args = [program, `--listen=127.0.0.1:${port}`, `--to=${to}`, `--cert=${cert}`, `--key=${key}`];
    front = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    await once(front.stderr as NodeJS.ReadableStream, 'data'); // ready
  });
  after(async () => {
    front.kill();
    behind.close();
    place.remove();
  });

  test('hands on what comes, both ways', async () => {
    assert.equal(await ask(current['ca.crt']), 'got hello');
  });

  test('T131: is not trusted by who does not know its authority, nor under another name', async () => {
    await assert.rejects(ask(undefined), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    await assert.rejects(ask(current['ca.crt'], 'other.example'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('T143: takes a new certificate without a restart', async () => {
    const before = current;
    current = await newCertificate();
    install(current);
    assert.equal(await ask(current['ca.crt']), 'got hello');
    await assert.rejects(ask(before['ca.crt']));
  });

  test('fails single connections while its files are unfit, and goes on', async () => {
    writeFileSync(key, 'no key');
    await assert.rejects(ask(current['ca.crt']));
    install(current);
    assert.equal(await ask(current['ca.crt']), 'got hello');
  });
});
