/**
 * One socket to one broker: kafkajs carries the bytes (TCP, TLS, SASL, correlation), we encode and decode.
 *
 * A connection lives once. When its socket has died or a request has failed it is closed for good, and whoever needs a
 * connection opens another: so nothing is ever sent on a socket whose state is in doubt.
 */
import Broker from 'kafkajs/src/broker/index.js';
import { createLogger, LEVELS } from 'kafkajs/src/loggers/index.js';
import ConnectionPool, { type Connection as Transport } from 'kafkajs/src/network/connectionPool.js';
import socketFactory from 'kafkajs/src/network/socketFactory.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import { addressIn } from '../../core/address.ts';
import { verifiedTls } from '../../core/tls.ts';
import type { KafkaConfig } from './config.ts';
import type { Credentials } from './credentials.ts';
import { isRefused, unsupportedVersion } from './failure.ts';
import type { Mechanism } from './login.ts';
import { oauthBearer } from './oauth-bearer.ts';
import { type Api, metadata, type Throttled } from './requests.ts';
import { behindTags, decode, encode, WireError } from './wire.ts';

/** An exchange that did not work, and why (`cause`). `sent`: the request may have reached the broker. */
export class ExchangeError extends Error {
  readonly sent: boolean;

  constructor(sent: boolean, cause: unknown) {
    super('no answer', { cause });
    this.name = 'ExchangeError';
    this.sent = sent;
  }
}

/** More than any answer of ours needs: 500 topics with all their settings are about 1 MB. */
const longestAnswer = 100_000_000;

/**
 * Brokers may limit how long a login is good for (KIP-368): with the next request after that they close the connection. A
 * new one in time, with the credentials of then, needs no second login on the same socket, of which kafkajs 2.2.4 would
 * make one with the first credentials.
 */
const sessionShare = 0.9;

/** Errors reach the caller as values; what kafkajs has to say beside them helps nobody. */
const logger = createLogger({ level: LEVELS.NOTHING, logCreator: () => () => {} });

export class Connection {
  readonly address: string;
  readonly #broker: Broker;
  readonly #transport: Transport;
  #clusterId = '';
  #lastAnswer = 0;
  #underWay = 0;
  #retired = false;
  #goodUntil = Number.POSITIVE_INFINITY;

  private constructor(address: string, pool: ConnectionPool, config: KafkaConfig) {
    this.address = address;
    this.#transport = pool.pool[0];
    this.#broker = new Broker({ logger, connectionPool: pool, authenticationTimeout: config.connectTimeoutMs });
    calmQueue(this.#transport);
    guardFrames(this.#transport);
  }

  /**
   * Connects, authenticates, learns what the broker offers, and asks for a sign of life: the kernel accepts sockets
   * also for a broker that is frozen. Where our credentials are refused, and others are there by now, once more with them.
   *
   * @param address `host:port`
   * @throws whatever stood in the way, as kafkajs or Node report it; SecretError
   */
  static async open(address: string, config: KafkaConfig): Promise<Connection> {
    const credentials = await config.login.read();
    try {
      return await Connection.#openAs(credentials, address, config);
    } catch (error) {
      const others = isRefused(error) ? await config.login.readAfter(credentials) : undefined;
      if (others === undefined) throw error;
      return Connection.#openAs(others, address, config);
    }
  }

  static async #openAs(credentials: Credentials, address: string, config: KafkaConfig): Promise<Connection> {
    const pool = new ConnectionPool(poolOptions(address, config, credentials));
    const connection = new Connection(address, pool, config);
    try {
      const begun = Date.now();
      await connection.#broker.connect();
      const lifetimeMs = connection.#transport.sessionLifetime.toNumber();
      if (lifetimeMs > 0) connection.#goodUntil = begun + sessionShare * lifetimeMs;
      await connection.probe();
      return connection;
    } catch (error) {
      connection.close();
      throw error instanceof ExchangeError ? error.cause : error;
    }
  }

  /** The cluster that answers here. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** False once the socket is closed, the connection was retired, or its login is about to end. */
  get usable(): boolean {
    return !this.#retired && this.#transport.isConnected() && Date.now() < this.#goodUntil;
  }

  /** ms since the broker last answered, by the wall clock: other clocks may stand still while the process is frozen. */
  get idleMs(): number {
    return Math.abs(Date.now() - this.#lastAnswer);
  }

  /** Asks for a sign of life and the cluster's id. @throws ExchangeError */
  async probe(): Promise<void> {
    const { clusterId } = await this.send(metadata, { topics: [], autoCreate: false, includeTopicOperations: false });
    if (clusterId === null) throw new ExchangeError(true, new WireError('the broker names no cluster id'));
    this.#clusterId = clusterId;
  }

  /**
   * Sends one request and waits for its answer. Several may be under way; the broker works on one after another.
   *
   * @throws Failure `UnsupportedByBroker`; nothing was sent
   * @throws ExchangeError; the connection is closed
   */
  async send<Request, Response extends Throttled>(api: Api<Request, Response>, request: Request): Promise<Response> {
    this.require(api);
    const bytes = encode(behindTags(api.request), request);
    let sent = false;
    const toSend = () => {
      // kafkajs writes to the socket right after it asked for this, before anything else can happen: it never queues
      sent = true;
      return bytes;
    };
    this.#underWay++;
    try {
      const answer = await this.#transport.send(exchange(api, toSend));
      this.#lastAnswer = Date.now();
      return answer;
    } catch (error) {
      // kafkajs keeps the socket of a silent broker, where every later request would time out, too
      this.close();
      throw new ExchangeError(sent, error);
    } finally {
      this.#underWay--;
      if (this.#retired && this.#underWay === 0) this.close();
    }
  }

  /** Takes no more requests, and closes when those under way are answered. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    if (this.#underWay === 0) this.close();
  }

  /** Closes at once; what is under way fails. */
  close(): void {
    this.#retired = true;
    this.#transport.rejectRequests(new Error('connection closed'));
    // stops kafkajs' timers; it has nothing left to wait for, and the next line does not depend on it
    void this.#transport.disconnect();
    this.#transport.socket?.destroy();
  }

  /** @throws Failure `UnsupportedByBroker` when the broker does not offer the version that we speak */
  require({ key, name, version }: { readonly key: number; readonly name: string; readonly version: number }): void {
    const offered = this.#broker.versions?.[key];
    if (offered === undefined || version < offered.minVersion || version > offered.maxVersion)
      throw unsupportedVersion(name, version, offered);
  }
}

/** A request and its answer as kafkajs wants them. kafkajs knows the older headers only, hence `behindTags`. */
function exchange<Request, Response>(api: Api<Request, Response>, toSend: () => Buffer) {
  return {
    request: {
      apiKey: api.key,
      apiName: api.name,
      apiVersion: api.version,
      encode: async () => new Encoder().writeBuffer(toSend()),
    },
    response: {
      // kafkajs would hold back later requests for the throttle time; the cluster decides about that
      decode: async (payload: Buffer) => ({
        clientSideThrottleTime: 0,
        answer: decode(behindTags(api.response), payload),
      }),
      parse: async ({ answer }: { answer: Response }) => answer,
    },
    logResponseError: false,
  };
}

function poolOptions(address: string, config: KafkaConfig, credentials: Credentials) {
  const { ca, cert, key, passphrase } = credentials;
  const endpoint = addressIn(address);
  if (endpoint === undefined) throw new Error(`"${address}" is no address of a broker: it has to be host:port`);
  return {
    ...endpoint,
    logger,
    socketFactory: socketFactory(),
    clientId: config.clientId,
    ssl: config.tls ? { ca, cert, key, passphrase, ...verifiedTls } : null,
    // never shared: kafkajs writes into this object a login that keeps the first credentials (2.2.4)
    sasl: config.mechanism === undefined ? null : saslOptions(config.mechanism, credentials),
    reauthenticationThreshold: Number.MIN_SAFE_INTEGER, // never: see `sessionShare`
    connectionTimeout: config.connectTimeoutMs,
    requestTimeout: config.requestTimeoutMs,
    enforceRequestTimeout: true,
  };
}

function saslOptions(mechanism: Mechanism, { username, password, token = '' }: Credentials): object {
  if (mechanism === 'OAUTHBEARER' || mechanism === 'AWS_MSK_IAM')
    return { mechanism: 'OAUTHBEARER', authenticationProvider: oauthBearer(token) };
  return { mechanism, username, password };
}

/** kafkajs 2.2.4 re-arms a timer of 1 ms for ever, also with nothing to send: 3 % of a core. */
function calmQueue({ requestQueue }: Transport): void {
  const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule();
  };
}

/** kafkajs 2.2.4 believes every announced size: a negative one makes it loop, a huge one fills the memory. */
function guardFrames(transport: Transport): void {
  const process = transport.processData.bind(transport);
  const believable = frameCheck();
  transport.processData = (data) => {
    if (believable(data)) process(data);
    else transport.socket?.destroy(notKafka());
  };
}

/** The code survives kafkajs' own error, `failure.ts` knows it. */
const notKafka = () => Object.assign(new Error('not the Kafka protocol'), { code: 'NOT_KAFKA' });

/** Follows a stream of frames, and says whether each size read so far is one that an answer can have. */
function frameCheck(): (data: Buffer) => boolean {
  const header = Buffer.alloc(4);
  let headerBytes = 0;
  let missing = 0;
  return (data) => {
    for (let at = 0; at < data.length; ) {
      const step = Math.min(missing, data.length - at);
      missing -= step;
      at += step;
      if (at === data.length) break;
      header[headerBytes++] = data.readUInt8(at++);
      if (headerBytes < header.length) continue;
      headerBytes = 0;
      missing = header.readInt32BE();
      if (missing < 4 || missing > longestAnswer) return false;
    }
    return true;
  };
}
