/** What a connection logs in with. A mechanism and TLS say which of them are used. */
export type Credentials = {
  /** PEM; without `ca` the well-known authorities count */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
};

/** Credentials cannot be had, or cannot be used. `message` is fit for a status: what to mend, and nothing secret. */
export class SecretError extends Error {
  constructor(message = 'the Kafka credentials cannot be read', options?: ErrorOptions) {
    super(message, options);
    this.name = 'SecretError';
  }
}
