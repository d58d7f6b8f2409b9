/**
 * A Kafka cluster as a whole: which broker to ask, when to connect anew, what may be sent again.
 *
 * Reads and writes have a connection each, since a broker works on one request per connection at a time: a read behind a
 * creation would wait for it. Connections stay open between invocations.
 */
import { Failure } from '../../core/outcome.ts';
import type { KafkaConfig } from './config.ts';
import { Connection, ExchangeError } from './connection.ts';
import { isRefusedLogin, isTimeout, outOfTime, unreachable } from './failure.ts';
import type { Api, Throttled } from './requests.ts';

/** A connection that was silent for longer is asked for a sign of life before it gets a mutation. */
const doubtfulAfterMs = 1_000;

/** One place for a connection, opened when it is needed and again when it was lost. */
class Lane {
  readonly #config: KafkaConfig;
  readonly #addresses: readonly string[];
  #connection: Connection | undefined;
  #opening: Promise<Connection> | undefined;
  #next = 0;

  constructor(config: KafkaConfig, addresses: readonly string[]) {
    this.#config = config;
    this.#addresses = addresses;
  }

  get address(): string | undefined {
    return this.#connection?.address;
  }

  /** All who ask at the same time share one attempt. @throws Failure */
  async connection(): Promise<Connection> {
    if (this.#connection?.usable) return this.#connection;
    // what is under way on it is answered still
    this.#connection?.retire();
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    this.#connection = await this.#opening;
    return this.#connection;
  }

  /** Tries one broker after the other, beginning behind the one that was lost. */
  async #open(): Promise<Connection> {
    const count = this.#addresses.length;
    const errors = new Map<number, unknown>();
    for (let tried = 0; tried < count; tried++) {
      const index = (this.#next + tried) % count;
      try {
        const connection = await Connection.open(this.#addresses[index] as string, this.#config);
        this.#next = (index + 1) % count;
        return connection;
      } catch (error) {
        if (error instanceof Failure || isRefusedLogin(error)) throw unreachable(error);
        errors.set(index, error);
      }
    }
    // always the first broker of the list, so that the message does not change from one attempt to the next
    throw unreachable(errors.get(0));
  }

  close(): void {
    this.#connection?.close();
    void this.#opening?.then(
      (connection) => connection.close(),
      () => {},
    );
  }
}

export class Cluster {
  readonly #config: KafkaConfig;
  readonly #onRequest: () => void;
  readonly #reads: Lane;
  readonly #writes: Lane;
  readonly #leaders = new Map<string, Lane>();

  constructor(config: KafkaConfig, onRequest = () => {}) {
    this.#config = config;
    this.#onRequest = onRequest;
    this.#reads = new Lane(config, config.brokers);
    this.#writes = new Lane(config, config.brokers);
  }

  /** ms that a broker may take for a request, so that its own "timed out" arrives before we stop listening. */
  get answerWithinMs(): number {
    return Math.floor(this.#config.requestTimeoutMs * 0.8);
  }

  /** The cluster's id, from its own mouth. @throws Failure */
  async clusterId(signal: AbortSignal): Promise<string> {
    return (await untilAborted(signal, () => this.#reads.connection())).clusterId;
  }

  /**
   * Asks any broker, or the one at `address` (`host:port`). A lost connection is replaced once.
   *
   * @throws Failure
   */
  async read<Request, Response extends Throttled>(
    api: Api<Request, Response>,
    request: Request,
    signal: AbortSignal,
    address?: string,
  ): Promise<Response> {
    for (let retried = false; ; retried = true) {
      const connection = await untilAborted(signal, () => this.#readable(address));
      try {
        this.#onRequest();
        return await untilAborted(signal, () => connection.send(api, request));
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error;
        // the time is used up when a broker kept silent; the next message finds another broker
        if (retried || isTimeout(error.cause)) throw unreachable(error.cause);
      }
    }
  }

  /**
   * Sends a mutation to any broker, or to the one at `address` (`host:port`). What was not sent is sent again once; what
   * may have been sent never is.
   *
   * @returns the answer and the id of the cluster that gave it
   * @throws Failure, `unanswered` when it may still take effect
   */
  async write<Request, Response extends Throttled>(
    api: Api<Request, Response>,
    request: Request,
    signal: AbortSignal,
    address?: string,
  ): Promise<{ readonly answer: Response; readonly clusterId: string }> {
    const lane = address === undefined ? this.#writes : this.#laneTo(address);
    for (let retried = false; ; retried = true) {
      const connection = await untilAborted(signal, () => this.#living(lane));
      try {
        this.#onRequest();
        const answer = await untilAborted(signal, () => connection.send(api, request), true);
        // the broker now ignores this connection for a while, even for what its quota does not count
        if (answer.throttleMs > 0) connection.retire();
        return { answer, clusterId: connection.clusterId };
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error;
        if (retried || error.sent) throw unreachable(error.cause, { unanswered: error.sent });
      }
    }
  }

  close(): void {
    for (const lane of [this.#reads, this.#writes, ...this.#leaders.values()]) lane.close();
    this.#leaders.clear();
  }

  /**
   * A connection for writes that has just been heard of. Without the sign of life the first mutation after a thaw would
   * go to a socket that the broker closed long ago, and nobody could say whether it took effect.
   */
  async #living(lane: Lane): Promise<Connection> {
    const connection = await lane.connection();
    if (connection.idleMs >= doubtfulAfterMs) {
      try {
        await connection.probe();
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error;
        return this.#checked(await lane.connection());
      }
    }
    return this.#checked(connection);
  }

  /** Nothing is written to another cluster than the one that was looked at. */
  async #checked(connection: Connection): Promise<Connection> {
    const { clusterId } = await this.#reads.connection();
    if (connection.clusterId === clusterId) return connection;
    connection.close();
    throw new Failure('ObservationOutdated', 'the broker addresses lead to different clusters', { retryable: true });
  }

  /** The connection for reads, unless another broker is meant than the one it leads to, now that it is made. */
  async #readable(address: string | undefined): Promise<Connection> {
    if (address === undefined) return this.#reads.connection();
    if (this.#reads.address === address) {
      const connection = await this.#reads.connection();
      if (this.#reads.address === address) return connection;
    }
    return this.#laneTo(address).connection();
  }

  /** A lane that knows this address only: the others go on to another broker when theirs is lost. */
  #laneTo(address: string): Lane {
    const lane = this.#leaders.get(address) ?? new Lane(this.#config, [address]);
    this.#leaders.set(address, lane);
    return lane;
  }
}

/**
 * The outcome of `work`, or a Failure as soon as `signal` is aborted: what was begun then ends unheard, and a `mutation`
 * may still take effect.
 */
async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>, mutation = false): Promise<T> {
  if (signal.aborted) throw outOfTime(false);
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(outOfTime(mutation));
  });
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([aborted, work()]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
