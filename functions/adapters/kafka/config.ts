import { type Env, readSettings } from '../../settings/read.ts';
import { type NameOf, namesOf, type Settings } from '../../settings/table.ts';
import { type Login, loginOf, type Mechanism } from './login.ts';

/** Where the brokers are and how to speak to them. */
export type KafkaConfig = {
  /** `host:port` of some brokers; the others are learned from them */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** the brokers' certificates are always verified */
  readonly tls: boolean;
  /** absent: no SASL */
  readonly mechanism?: Mechanism;
  /** as far as it is known before a connection is made */
  readonly username?: string;
  readonly login: Login;
  /** ms to wait for the socket, and again for the login */
  readonly connectTimeoutMs: number;
  /** ms to wait for an answer */
  readonly requestTimeoutMs: number;
};

/** The settings of the connection, as `settings/table.ts` has them. */
export type KafkaSettings = Settings<'cli', KafkaName>;
type KafkaName = Extract<NameOf<'cli'>, `KAFKA_${string}` | 'AWS_REGION'>;

/** A cold start with TLS in a private network takes longer than kafkajs' own 1,000 ms. */
const timeouts = { connectTimeoutMs: 5_000, requestTimeoutMs: 10_000 };

/** As the environment has it. @throws SettingsError with everything that is wrong about them */
export function kafkaConfigFromEnv(env: Env): KafkaConfig {
  const isKafka = (name: NameOf<'cli'>): name is KafkaName => name.startsWith('KAFKA_') || name === 'AWS_REGION';
  return kafkaConfig(readSettings(env, 'cli', namesOf('cli').filter(isKafka)));
}

/**
 * How to connect as the settings say. What is for logging in is read at each login; files are looked at now, too.
 *
 * @throws SettingsError for files that cannot be read or are no PEM files
 */
export function kafkaConfig(settings: KafkaSettings): KafkaConfig {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username } = settings;
  return {
    ...timeouts,
    clientId: settings.KAFKA_CLIENT_ID,
    brokers: settings.KAFKA_BROKERS,
    tls: settings.KAFKA_TLS,
    ...(mechanism && { mechanism }),
    ...(username && { username }),
    login: loginOf(settings),
  };
}
