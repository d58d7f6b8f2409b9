/** TLS as every client of ours says it: NODE_TLS_REJECT_UNAUTHORIZED and --tls-min-v1.0 would change the defaults. */
export const verifiedTls = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;
