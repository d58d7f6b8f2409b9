/** SASL OAUTHBEARER. kafkajs 2.2.4 has it, but takes a refusal for a welcome: it does not look at the broker's answer. */

/** The broker does not take the token. */
export class TokenRefused extends Error {
  constructor() {
    super('the broker refused the token');
    this.name = 'TokenRefused';
  }
}

/** One message each way, as kafkajs carries them: with their length in front. */
type Exchange = {
  readonly request: { encode(): Promise<Buffer> };
  readonly response: { decode(answer: Buffer): Promise<string>; parse(answer: string): Promise<string> };
};
type Carrier = { saslAuthenticate(exchange: Exchange): Promise<string> };

/**
 * What kafkajs takes as `authenticationProvider`. `authenticate` throws TokenRefused, or the broker's error.
 *
 * @see RFC 7628 section 3; KIP-255: the answer is empty when the token is good, and else says why
 */
export const oauthBearer =
  (token: string) =>
  ({ saslAuthenticate }: Carrier) => ({
    authenticate: async (): Promise<void> => {
      const refusal = await saslAuthenticate({
        request: { encode: async () => withLength(`n,,\x01auth=Bearer ${token}\x01\x01`) },
        response: { decode: async (answer) => answer.subarray(4).toString(), parse: async (answer) => answer },
      });
      if (refusal !== '') throw new TokenRefused();
    },
  });

function withLength(text: string): Buffer {
  const bytes = Buffer.from(`\0\0\0\0${text}`);
  bytes.writeInt32BE(bytes.length - 4);
  return bytes;
}
