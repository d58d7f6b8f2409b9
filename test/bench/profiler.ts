/**
 * Loaded into a process of the product with `--import`: samples its CPU time while the file `BENCH_PROFILES/on` is there.
 * SIGUSR2 asks it to look whether it still is; when not, the profile is written to `BENCH_PROFILES/PID.cpuprofile`.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';

const folder = process.env.BENCH_PROFILES ?? '';
const session = new Session();
session.connect();
let sampling = false;

async function look(): Promise<void> {
  const wanted = existsSync(join(folder, 'on'));
  if (wanted === sampling) return;
  sampling = wanted;
  if (wanted) await start();
  else await write();
}

async function start(): Promise<void> {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 2_000 });
  await session.post('Profiler.start');
}

async function write(): Promise<void> {
  const { profile } = await session.post('Profiler.stop');
  const file = join(folder, `${process.pid}.cpuprofile`);
  writeFileSync(`${file}.part`, JSON.stringify(profile));
  renameSync(`${file}.part`, file);
}

process.on('SIGUSR2', () => void look());
await look();
