import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';

/** The path of an empty folder that is there while the tests of this file run, each time they do. */
export function temporaryFolder(name: string): string {
  const path = join(tmpdir(), `topicsmith-${name}-${randomUUID()}`);
  before(() => mkdirSync(path));
  after(() => rmSync(path, { recursive: true }));
  return path;
}
