/** Whether a host, as URLs and addresses have it, is this machine: what goes there need not be encrypted. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
