/** The image, laid out as infra/Containerfile says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { temporary } from '../local/support.ts';
import { buildImage } from '../support/cluster/image.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the image', () => {
  const place = temporary();
  after(() => place.remove());
  const directory = join(place.path, 'image');
  mkdirSync(directory);
  const image = buildImage(join(root, 'infra', 'Containerfile'), root, directory);

  /** Runs it, without what the machine has. */
  const run = (args: readonly string[]) => {
    const [, ...entrypoint] = image.entrypoint;
    const options = { cwd: join(directory, image.workdir), env: { HOME: '/nonexistent' }, encoding: 'utf8' as const };
    return spawnSync(process.execPath, [...entrypoint, ...args], options);
  };

  test('runs as a user that is not root, by its number', () => {
    assert.match(image.user, /^[1-9]\d*:[1-9]\d*$/); // a name could not be checked against runAsNonRoot
  });

  test('begins with the forwarder, which says what it misses', () => {
    assert.equal(image.entrypoint[0], 'node');
    const { status, stdout, stderr } = run(image.command);
    assert.equal(status, 1);
    assert.match(stdout + stderr, /RECONCILE_QUEUE_URL is not set/);
  });

  for (const [program, args, says] of [
    ['command line', ['dist/cli.cjs', '--version'], /^\d+\.\d+\.\d+$/m],
    [
      'runner',
      ['dist/runner.cjs', 'serverless.yml', '--function', 'nix'],
      /there is no function "nix"; there are reconcile, resync/,
    ],
    ['TLS front', ['dist/tls-front.cjs'], /--cert and --key have to name PEM files/],
  ] as const)
    test(`has the ${program}`, () => {
      const { stdout, stderr } = run(args);
      assert.match(stdout + stderr, says);
    });
});
