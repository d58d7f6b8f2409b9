/** X.509 certificates as a test needs them: for any host, of any time, by any authority. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** `cert` and `key` as PEM. */
export type Certified = { readonly cert: string; readonly key: string };

type Wanted = {
  /** an IPv4 address or a DNS name */
  readonly host?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
};

const hour = 3_600_000;

/** An authority, and what it signs. */
export function authority(name = 'authority'): Certified & { readonly issue: (wanted?: Wanted) => Certified } {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = certificate({ subject: name, issuer: name, extensions: [isAuthority] }, own.publicKey, own.privateKey);
  const issue = ({ host = '127.0.0.1', ...times }: Wanted = {}): Certified => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const of = { subject: host, issuer: name, extensions: [hostIs(host)], ...times };
    return { cert: certificate(of, publicKey, own.privateKey), key: pemKey(privateKey) };
  };
  return { cert, key: pemKey(own.privateKey), issue };
}

/** A certificate that nobody vouches for but itself. @param passphrase of its key */
export function selfSigned(host = '127.0.0.1', passphrase?: string): Certified {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const of = { subject: host, issuer: host, extensions: [hostIs(host)] };
  return { cert: certificate(of, publicKey, privateKey), key: pemKey(privateKey, passphrase) };
}

type Contents = Wanted & { readonly subject: string; readonly issuer: string; readonly extensions: readonly Buffer[] };

let serial = 0;

/** @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
function certificate(of: Contents, publicKey: KeyObject, signer: KeyObject): string {
  const { notBefore = new Date(Date.now() - hour), notAfter = new Date(Date.now() + hour) } = of;
  const toBeSigned = sequence(
    tagged(0xa0, tagged(0x02, Buffer.of(2))), // version 3
    tagged(0x02, Buffer.of(1, ++serial >> 8, serial & 0xff)),
    ecdsaWithSha256,
    nameOf(of.issuer),
    sequence(timeOf(notBefore), timeOf(notAfter)),
    nameOf(of.subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...of.extensions)),
  );
  const signature = tagged(0x03, Buffer.of(0), sign('sha256', toBeSigned, signer));
  const base64 = sequence(toBeSigned, ecdsaWithSha256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function pemKey(key: KeyObject, passphrase?: string): string {
  const encrypted = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return String(key.export({ type: 'pkcs8', format: 'pem', ...encrypted }));
}

/** DER: tag, length, contents. @see https://www.itu.int/rec/T-REC-X.690 */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), contents]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts);
const identifier = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));
const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));
const commonName = identifier('550403');
const nameOf = (name: string): Buffer => sequence(tagged(0x31, sequence(commonName, tagged(0x0c, Buffer.from(name)))));

/** GeneralizedTime. */
const timeOf = (time: Date): Buffer =>
  tagged(0x18, Buffer.from(`${time.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));

/** basicConstraints, critical: cA. */
const isAuthority = sequence(
  identifier('551d13'),
  tagged(0x01, Buffer.of(0xff)),
  tagged(0x04, sequence(tagged(0x01, Buffer.of(0xff)))),
);

/** subjectAltName: iPAddress or dNSName. */
const hostIs = (host: string): Buffer => {
  const address = /^\d+(\.\d+){3}$/.test(host) ? tagged(0x87, Buffer.from(host.split('.').map(Number))) : undefined;
  return sequence(identifier('551d11'), tagged(0x04, sequence(address ?? tagged(0x82, Buffer.from(host)))));
};
