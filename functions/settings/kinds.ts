/** What a setting can hold: from the text of an environment variable to a value. */
import { addressIn } from '../core/address.ts';
import { type Danger, dangers } from '../core/installation.ts';
import type { Labels } from '../core/resource.ts';
import { parseSelector } from '../core/selector.ts';

/** In place of a value: the part of the text that is not what it has to be. */
export class Unfit {
  readonly part: string;

  constructor(part: string) {
    this.part = part;
  }
}

export type Kind<T> = {
  /** ends the sentence "it has to be …" */
  readonly expects: string;
  /** of a text that is not empty */
  readonly read: (text: string) => T | Unfit;
};

/** Texts that `isFit` takes, as they are. */
const textKind = (expects: string, isFit: (text: string) => boolean): Kind<string> => ({
  expects,
  read: (text) => (isFit(text) ? text : new Unfit(text)),
});

/** A comma list; spaces around commas and empty places do not count, and what stands twice is there once. */
function listKind<T>(expects: string, least: 0 | 1, read: (item: string) => T | undefined): Kind<readonly T[]> {
  return {
    expects,
    read: (text) => {
      const items = [...new Set(text.split(',').map((item) => item.trim()))].filter((item) => item !== '');
      const values: T[] = [];
      for (const item of items) {
        const value = read(item);
        if (value === undefined) return new Unfit(item);
        values.push(value);
      }
      return values.length < least ? new Unfit(text) : values;
    },
  };
}

export const wholeNumber = (least: number, most = Number.MAX_SAFE_INTEGER): Kind<number> => ({
  expects: `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`,
  read: (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return number >= least && number <= most ? number : new Unfit(text);
  },
});

export const choice = <const T extends string>(...choices: readonly T[]): Kind<T> => ({
  expects: `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`,
  read: (text) => choices.find((one) => one === text) ?? new Unfit(text),
});

export const flag: Kind<boolean> = {
  expects: 'true or false',
  read: (text) => (text === 'true' || text === 'false' ? text === 'true' : new Unfit(text)),
};

const isOneLine = (text: string): boolean => !/\p{Cc}/u.test(text);

export const line = textKind('one line of text', isOneLine);

/** Where the file is; whether it can be read is seen by whoever reads it. */
export const file = textKind('the path of a file', isOneLine);

export const host = textKind('a host name or an IP address', (text) => /^[A-Za-z0-9.:-]+$/.test(text));

export const webUrl = textKind(
  'a URL, http:// or https://',
  (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
);

export const httpsUrl = textKind(
  'a URL with https',
  (text) => URL.canParse(text) && new URL(text).protocol === 'https:',
);

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html */
export const eksCluster = textKind('the name of an EKS cluster', (text) => /^[0-9A-Za-z][\w-]{0,99}$/.test(text));

export const authorityData = textKind('a certificate (PEM) in base64, as EKS gives it', (text) =>
  Buffer.from(text, 'base64').toString().includes('-----BEGIN CERTIFICATE-----'),
);

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
export const secretArn = textKind('the ARN of a secret in Secrets Manager', (text) =>
  /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$/.test(text),
);

export const brokers = listKind('host:port of the brokers, separated by commas, as in b-1:9092,b-2:9092', 1, (item) =>
  addressIn(item) === undefined ? undefined : item,
);

/**
 * Each namespace once: listing goes on from one to the next by name, so a second one of a name would never be left again.
 *
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
 */
export const namespaces = listKind('namespaces, separated by commas', 0, (item) =>
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(item) ? item : undefined,
);

export const selector: Kind<(labels: Labels) => boolean> = {
  expects: 'a label selector, as in team=a,tier in (gold,silver),!legacy',
  read: (text) => {
    try {
      return parseSelector(text);
    } catch {
      return new Unfit(text);
    }
  },
};

const dangerNames = Object.keys(dangers) as Danger[];
const dangerList = listKind('', 0, (item) => dangerNames.find((danger) => danger === item));

export const approvals: Kind<ReadonlySet<Danger>> = {
  expects: `a comma list of ${dangerNames.join(', ')}, or none`,
  read: (text) => {
    if (text.trim() === 'none') return new Set();
    const listed = dangerList.read(text);
    return listed instanceof Unfit ? listed : new Set(listed);
  },
};

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Namespace */
export const metricsNamespace = textKind(
  'a namespace of CloudWatch: up to 255 letters, digits and .-_/#: that do not begin with AWS/, or none',
  (text) => /^(?!AWS\/)[A-Za-z0-9._/#:-]{1,255}$/.test(text),
);
