/** Reads a zip by its central directory (APPNOTE.TXT 4.3.12), independently of what wrote it. */
import assert from 'node:assert/strict';
import { crc32, inflateRawSync } from 'node:zlib';

export type Entry = { readonly bytes: Buffer /** as in stat(2) */; readonly mode: number; readonly time: string };

export function contentsOf(zip: Buffer): Map<string, Entry> {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  assert.ok(end >= 0, 'it is a zip');
  const contents = new Map<string, Entry>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
    const name = zip.toString('utf8', at + 46, at + 46 + (nameLength ?? 0));
    contents.set(name, entryAt(zip, at));
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
  }
  return contents;
}

function entryAt(zip: Buffer, at: number): Entry {
  const local = zip.readUInt32LE(at + 42);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
  const bytes = zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed);
  assert.equal(crc32(bytes), zip.readUInt32LE(at + 16));
  assert.equal(bytes.length, zip.readUInt32LE(at + 24));
  return { bytes, mode: zip.readUInt16LE(at + 40), time: timeOf(zip.readUInt16LE(at + 14), zip.readUInt16LE(at + 12)) };
}

/** MS-DOS date and time, which have no time zone. */
function timeOf(date: number, time: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [1980 + (date >> 9), two((date >> 5) & 15), two(date & 31)].join('-');
  return `${day} ${[two(time >> 11), two((time >> 5) & 63), two((time & 31) * 2)].join(':')}`;
}
