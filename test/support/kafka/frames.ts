/** Kafka's framing, written anew for the tests: an int32 size, then that many bytes. */

/** Splits a stream into frames; the returned function takes what has arrived and returns the frames now complete. */
export function frameSplitter(): (data: Buffer) => Buffer[] {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    const frames: Buffer[] = [];
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE()) {
      const end = 4 + rest.readInt32BE();
      frames.push(rest.subarray(4, end));
      rest = rest.subarray(end);
    }
    return frames;
  };
}

export function framed(payload: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(payload.length);
  return Buffer.concat([size, payload]);
}

/** A request as its header tells. `body` begins behind the client id, so with the header's tags if it is flexible. */
export type WireRequest = {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  readonly body: Buffer;
};

export function parseRequest(frame: Buffer): WireRequest {
  const clientIdLength = Math.max(0, frame.readInt16BE(8));
  const bodyStart = 10 + clientIdLength;
  return {
    apiKey: frame.readInt16BE(0),
    apiVersion: frame.readInt16BE(2),
    correlationId: frame.readInt32BE(4),
    clientId: frame.toString('utf8', 10, bodyStart),
    body: frame.subarray(bodyStart),
  };
}
