/**
 * Kafka's flexible encoding (KIP-482): declarative layouts that both write and read.
 *
 * A layout is a {@link Codec}; `struct` and `array` build bigger ones from smaller ones. Whoever reads is protected
 * from a peer that lies about lengths: a length is believed only as far as there are bytes for it.
 *
 * @see https://kafka.apache.org/protocol#protocol_types
 */
import type { TopicId } from '../../core/topic.ts';

/** `least`: the fewest bytes a value can take, so that a claimed count can be checked before anything is allocated. */
export type Codec<T> = {
  readonly least: number;
  write(to: Writer, value: T): void;
  read(from: Reader): T;
};

/** The value a codec writes and reads. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** The bytes are not what the layout says. */
export class WireError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WireError';
  }
}

/** A buffer that grows. */
class Writer {
  #buffer = Buffer.allocUnsafe(1024);
  #length = 0;

  /** Makes room for `size` bytes and returns where they start. */
  reserve(size: number): { readonly buffer: Buffer; readonly at: number } {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
    }
    return { buffer: this.#buffer, at };
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}

/** A cursor over received bytes. */
class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get left(): number {
    return this.#buffer.length - this.#at;
  }

  /** @throws WireError when fewer bytes are left */
  take(size: number): Buffer {
    if (size > this.left) throw new WireError(`${size} bytes announced, ${this.left} are left`);
    const taken = this.#buffer.subarray(this.#at, this.#at + size);
    this.#at += size;
    return taken;
  }
}

/**
 * Writes one value.
 *
 * @returns its bytes, without any header
 */
export function encode<T>(codec: Codec<T>, value: T): Buffer {
  const to = new Writer();
  codec.write(to, value);
  return to.bytes();
}

/**
 * Reads one value that must fill the buffer: a rest means that the layout is not the one the peer used.
 *
 * @throws WireError
 */
export function decode<T>(codec: Codec<T>, bytes: Buffer): T {
  const from = new Reader(bytes);
  const value = codec.read(from);
  if (from.left > 0) throw new WireError(`${from.left} bytes are left over`);
  return value;
}

function fixed<T>(
  least: number,
  put: (buffer: Buffer, value: T, at: number) => unknown,
  get: (buffer: Buffer) => T,
): Codec<T> {
  return {
    least,
    write: (to, value) => {
      const { buffer, at } = to.reserve(least);
      put(buffer, value, at);
    },
    read: (from) => get(from.take(least)),
  };
}

export const i8 = fixed<number>(
  1,
  (b, v, at) => b.writeInt8(v, at),
  (b) => b.readInt8(),
);
export const i16 = fixed<number>(
  2,
  (b, v, at) => b.writeInt16BE(v, at),
  (b) => b.readInt16BE(),
);
export const i32 = fixed<number>(
  4,
  (b, v, at) => b.writeInt32BE(v, at),
  (b) => b.readInt32BE(),
);
export const i64 = fixed<bigint>(
  8,
  (b, v, at) => b.writeBigInt64BE(v, at),
  (b) => b.readBigInt64BE(),
);
export const bool = fixed<boolean>(
  1,
  (b, v, at) => b.writeInt8(v ? 1 : 0, at),
  (b) => b.readInt8() !== 0,
);
/** 16 bytes as base64url without padding, the text form of Kafka's own tools. */
export const uuid = fixed<TopicId>(
  16,
  (b, v, at) => {
    if (!isTopicId(v)) throw new WireError(`"${v}" is not a topic id`);
    b.write(v, at, 'base64url');
  },
  (b) => b.toString('base64url') as TopicId,
);

/** Only the one text that Kafka itself writes for 16 bytes, so that ids can be compared as texts. */
export function isTopicId(text: string): text is TopicId {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === 16 && bytes.toString('base64url') === text;
}

/** The id that stands for "none". */
export const noId = 'AAAAAAAAAAAAAAAAAAAAAA' as TopicId;

/** Unsigned variable-length integer below 2^31, as lengths and tags use it. */
export const uvarint: Codec<number> = {
  least: 1,
  write: (to, value) => {
    for (let rest = value; ; rest >>>= 7) {
      const { buffer, at } = to.reserve(1);
      buffer[at] = rest > 0x7f ? (rest & 0x7f) | 0x80 : rest;
      if (rest <= 0x7f) return;
    }
  },
  read: (from) => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = from.take(1).readUInt8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0x7fffffff) break;
        return value;
      }
    }
    throw new WireError('a length is too large');
  },
};

/** `null` is written as length 0, everything else as its length + 1. */
export const nullableText: Codec<string | null> = {
  least: 1,
  write: (to, value) => {
    if (value === null) return uvarint.write(to, 0);
    const size = Buffer.byteLength(value);
    uvarint.write(to, size + 1);
    const { buffer, at } = to.reserve(size);
    buffer.write(value, at);
  },
  read: (from) => {
    const size = uvarint.read(from);
    return size === 0 ? null : from.take(size - 1).toString();
  },
};

export const text: Codec<string> = required(nullableText, 'a text is null');

/** `null` is not the empty list: most requests give it a meaning of its own. */
export function nullableArray<T>(item: Codec<T>): Codec<readonly T[] | null> {
  return {
    least: 1,
    write: (to, values) => {
      uvarint.write(to, values === null ? 0 : values.length + 1);
      for (const value of values ?? []) item.write(to, value);
    },
    read: (from) => {
      const count = uvarint.read(from) - 1;
      if (count < 0) return null;
      if (count * item.least > from.left) throw new WireError(`${count} items announced, ${from.left} bytes are left`);
      return Array.from({ length: count }, () => item.read(from));
    },
  };
}

export const array = <T>(item: Codec<T>): Codec<readonly T[]> => required(nullableArray(item), 'a list is null');

function required<T>(codec: Codec<T | null>, complaint: string): Codec<T> {
  return {
    ...codec,
    read: (from) => {
      const value = codec.read(from);
      if (value === null) throw new WireError(complaint);
      return value;
    },
  };
}

type Fields = Readonly<Record<string, Codec<unknown>>>;
/** Tagged fields we read: by name, with their tag number. They are never written. */
type Tags = Readonly<Record<string, readonly [tag: number, codec: Codec<unknown>]>>;
type StructOf<F extends Fields, T extends Tags> = { readonly [K in keyof F]: ValueOf<F[K]> } & {
  readonly [K in keyof T]?: ValueOf<T[K][1]>;
};

/** Fields in the order of the layout, then a tag buffer. Tags that are not named are skipped. */
export function struct<F extends Fields, T extends Tags = Record<never, never>>(
  fields: F,
  tags: T = {} as T,
): Codec<StructOf<F, T>> {
  const order = Object.entries(fields);
  const known = new Map(Object.entries(tags).map(([name, [tag, codec]]) => [tag, { name, codec }]));
  return {
    least: order.reduce((sum, [, codec]) => sum + codec.least, 1),
    write: (to, value) => {
      for (const [name, codec] of order) codec.write(to, (value as Record<string, unknown>)[name]);
      uvarint.write(to, 0);
    },
    read: (from) => {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of order) value[name] = codec.read(from);
      readTags(from, (tag, bytes) => {
        const field = known.get(tag);
        if (field !== undefined) value[field.name] = decode(field.codec, bytes);
      });
      return value as StructOf<F, T>;
    },
  };
}

/** A body behind a flexible header, which ends with tags of its own: none of ours, and whatever the peer sends. */
export function behindTags<T>(body: Codec<T>): Codec<T> {
  return {
    least: body.least + 1,
    write: (to, value) => {
      uvarint.write(to, 0);
      body.write(to, value);
    },
    read: (from) => {
      readTags(from, () => {});
      return body.read(from);
    },
  };
}

function readTags(from: Reader, each: (tag: number, bytes: Buffer) => void): void {
  for (let count = uvarint.read(from); count > 0; count--) {
    const tag = uvarint.read(from);
    each(tag, from.take(uvarint.read(from)));
  }
}
