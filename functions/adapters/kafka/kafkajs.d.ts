/** The few inner parts of kafkajs 2.2.4 that carry our requests. The package types only its outer shell. */

declare module 'kafkajs/src/network/connectionPool.js' {
  import type { ConnectionOptions } from 'node:tls';
  import type { Logger } from 'kafkajs/src/loggers/index.js';

  export type SocketFactory = (to: unknown) => import('node:net').Socket;
  type Options = {
    logger: Logger;
    socketFactory: SocketFactory;
    host: string;
    port: number;
    clientId: string;
    ssl: { [option in keyof ConnectionOptions]: ConnectionOptions[option] | undefined } | null;
    sasl: object | null;
    /** ms before the end of a session (KIP-368) at which it logs in again over the same connection */
    reauthenticationThreshold: number;
    connectionTimeout: number;
    requestTimeout: number;
    enforceRequestTimeout: boolean;
  };
  type RequestQueue = { readonly pending: readonly unknown[]; scheduleCheckPendingRequests(): void };
  export type Connection = {
    readonly socket?: import('node:net').Socket;
    readonly requestQueue: RequestQueue;
    /** ms; 0: without end */
    readonly sessionLifetime: { toNumber(): number };
    isConnected(): boolean;
    send<T>(exchange: {
      request: { apiKey: number; apiName: string; apiVersion: number; encode: () => Promise<unknown> };
      response: {
        decode: (payload: Buffer) => Promise<{ clientSideThrottleTime: number; answer: T }>;
        parse: (decoded: { answer: T }) => Promise<T>;
      };
      logResponseError: boolean;
    }): Promise<T>;
    processData(data: Buffer): void;
    rejectRequests(error: Error): void;
    disconnect(): Promise<unknown>;
  };
  export default class ConnectionPool {
    constructor(options: Options);
    /** the first one carries everything but fetches */
    readonly pool: readonly [Connection, Connection];
  }
}

declare module 'kafkajs/src/broker/index.js' {
  import type { Logger } from 'kafkajs/src/loggers/index.js';
  import type ConnectionPool from 'kafkajs/src/network/connectionPool.js';

  export default class Broker {
    constructor(options: { logger: Logger; connectionPool: ConnectionPool; authenticationTimeout: number });
    /** what the broker offers, by API key, once connected */
    readonly versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>> | null;
    connect(): Promise<void>;
  }
}

declare module 'kafkajs/src/network/socketFactory.js' {
  import type { SocketFactory } from 'kafkajs/src/network/connectionPool.js';
  export default function socketFactory(): SocketFactory;
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    writeBuffer(bytes: Buffer): this;
  }
}

declare module 'kafkajs/src/loggers/index.js' {
  export type Logger = { namespace(name: string): Logger };
  export const LEVELS: { readonly NOTHING: 0 };
  export function createLogger(options: { level: number; logCreator: () => (entry: unknown) => void }): Logger;
}

declare module 'kafkajs/src/protocol/error.js' {
  const protocol: { readonly errorCodes: readonly { readonly code: number; readonly type: string }[] };
  export default protocol;
}
