/** A GET over TLS with a certificate authority of our own, before there is a kubeconfig for the usual client. */
import { request } from 'node:https';

/** @returns the status code; undefined when there is no answer */
export function get(url: string, ca: Buffer, token: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    const call = request(url, { ca, headers, agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.end();
  });
}
