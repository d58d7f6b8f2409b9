/** What all our clients hold of TLS. */

/** Said aloud by each of them: NODE_TLS_REJECT_UNAUTHORIZED and --tls-min-v1.0 would change the defaults. */
export const verifiedTls = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;

/** OpenSSL and Node name TLS troubles by codes such as `DEPTH_ZERO_SELF_SIGNED_CERT`; the file system does not occur. */
export const isTlsTrouble = (code: unknown): code is string =>
  typeof code === 'string' && (code === 'EPROTO' || /CERT|TLS|SSL|VERIFY|ISSUER/.test(code));
