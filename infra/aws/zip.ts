import { zipSync } from 'fflate';

/**
 * A zip that is the same bytes for the same files, on any machine, at any time: names in order, one time, one mode, and
 * a compressor that is no part of Node.js (what zlib makes may differ between its versions and processors).
 *
 * @param files path in the zip → content
 */
export function zip(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const mtime = new Date(1980, 0, 1); // a zip has local time: the same digits in every time zone
  const attrs = (0o100644 << 16) >>> 0;
  const names = Object.keys(files).sort();
  return zipSync(
    Object.fromEntries(
      names.map((name) => [name, [files[name] ?? new Uint8Array(), { level: 9, mtime, os: 3, attrs }] as const]),
    ),
  );
}
