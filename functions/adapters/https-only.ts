/**
 * Messages name objects, and requests carry signatures and secrets: they leave this machine over TLS only.
 *
 * @throws Error one line that begins with `what`
 */
export function refusePlainHttp(what: string, url: string): void {
  if (!URL.canParse(url)) throw new Error(`${what} is "${url}": it has to be a URL`);
  const { protocol, hostname } = new URL(url);
  const local = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
  if (protocol !== 'https:' && !local)
    throw new Error(`${what} is "${url}": use https, plain http is for this machine only`);
}
