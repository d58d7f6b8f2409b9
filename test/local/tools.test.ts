import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { complaint, requireTools, type Tool } from '../../infra/local/tools.ts';
import { directory } from './support.ts';

/** Puts programs on the PATH, and nothing else, for the time of the test. */
function onlyPrograms(t: TestContext, programs: Readonly<Record<string, string>>): void {
  const dir = directory(t);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, name), 0o755);
  }
  const before = process.env.PATH;
  process.env.PATH = dir;
  t.after(() => {
    process.env.PATH = before;
  });
}

const cases: { reason: string; tool: Tool; programs: Record<string, string>; want: RegExp | undefined }[] = [
  {
    reason: 'no Java',
    tool: 'java',
    programs: {},
    want: /^Java is missing \("java" was not found\): install a JDK or JRE 17/,
  },
  {
    reason: 'no Maven',
    tool: 'maven',
    programs: {},
    want: /^Maven is missing \("mvn" was not found\): install Apache Maven/,
  },
  {
    reason: 'no Go',
    tool: 'go',
    programs: {},
    want: /^Go is missing \("go" was not found\): install Go 1\.\d+ or newer/,
  },
  {
    reason: 'a Java from before it had plain numbers, which prints on stderr',
    tool: 'java',
    programs: { java: `echo 'openjdk version "1.8.0_392"' >&2` },
    want: /^Java 1\.8 is too old, 17\.0 is needed: install/,
  },
  {
    reason: 'Java 11',
    tool: 'java',
    programs: { java: `echo 'openjdk version "11.0.21"' >&2` },
    want: /^Java 11\.0 is too old/,
  },
  { reason: 'Java 17', tool: 'java', programs: { java: `echo 'openjdk version "17.0.1"' >&2` }, want: undefined },
  {
    reason: 'Java 21 without a minor number',
    tool: 'java',
    programs: { java: `echo 'openjdk version "21"' >&2` },
    want: undefined,
  },
  { reason: 'Maven 3.9', tool: 'maven', programs: { mvn: 'echo "Apache Maven 3.9.6 (hash)"' }, want: undefined },
  {
    reason: 'a Go that is too old',
    tool: 'go',
    programs: { go: 'echo "go version go1.19 linux/amd64"' },
    want: /^Go 1\.19 is too old/,
  },
  {
    reason: 'a Python without pip',
    tool: 'python',
    programs: { python3: 'echo "No module named pip" >&2; exit 1' },
    want: /^Python does not work \("python3 -m pip --version" failed\): install Python 3\.11 or newer with pip/,
  },
  {
    reason: 'a Python with pip',
    tool: 'python',
    programs: { python3: 'echo "pip 26.1 from /usr/lib/python3/dist-packages/pip (python 3.12)"' },
    want: undefined,
  },
  { reason: 'a newer Go', tool: 'go', programs: { go: 'echo "go version go1.30.1 linux/amd64"' }, want: undefined },
  {
    reason: 'a Java that only says there is none, as on a fresh macOS',
    tool: 'java',
    programs: { java: 'echo "Unable to locate a Java Runtime."; exit 1' },
    want: /^Java does not work \("java -version" failed\): install/,
  },
];

describe('a tool', () => {
  for (const { reason, tool, programs, want } of cases)
    test(reason, (t) => {
      onlyPrograms(t, programs);
      const line = complaint(tool);
      if (want === undefined) assert.equal(line, undefined);
      else assert.match(line ?? '', want);
      assert.ok(!line?.includes('\n'));
    });

  test('each missing one has its line', (t) => {
    onlyPrograms(t, {});
    assert.throws(
      () => requireTools(['java', 'maven', 'go']),
      (error: Error) => {
        assert.equal(error.name, 'MissingTool');
        assert.deepEqual(
          error.message.split('\n').map((line) => line.split(' ')[0]),
          ['Java', 'Maven', 'Go'],
        );
        return true;
      },
    );
  });

  test('Go has to be what go.mod asks for', (t) => {
    const file = join(import.meta.dirname, '..', '..', 'infra', 'local', 'kube-apiserver', 'go.mod');
    const [, major, minor] = /^go (\d+)\.(\d+)/m.exec(readFileSync(file, 'utf8')) ?? [];
    onlyPrograms(t, { go: `echo "go version go${major}.${Number(minor) - 1}.9 linux/amd64"` });
    assert.match(complaint('go') ?? '', new RegExp(`${major}\\.${minor} is needed`));
  });
});
