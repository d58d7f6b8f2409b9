import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Lockfile, sbom } from '../../../infra/aws/sbom.ts';

const locked = (version: string) => ({ version, integrity: 'sha512-AAEC', license: 'MIT' });
const lockfile: Lockfile = {
  name: 'topicsmith',
  version: '1.2.3',
  packages: {
    '': {},
    'node_modules/plain': locked('1.0.0'),
    'node_modules/@scope/part': locked('2.0.0'),
    'node_modules/plain/node_modules/@scope/part': locked('2.1.0'),
    'node_modules/again/node_modules/plain': locked('1.0.0'),
    'node_modules/unlicensed': { version: '1.0.0', integrity: 'sha512-AAEC' },
    'node_modules/unused': locked('9.9.9'),
  },
};
const purls = (...inputs: string[]) => sbom(inputs, lockfile, []).components.map(({ purl }) => purl);

describe('the list of packages', () => {
  test('has a package once, whatever number of its files is in a bundle', () => {
    assert.deepEqual(purls('functions/a.ts', 'node_modules/plain/a.js', 'node_modules/plain/lib/b.js'), [
      'pkg:npm/plain@1.0.0',
    ]);
  });

  test('tells the versions of a package apart, and has two copies of one version once', () => {
    const inputs = [
      'node_modules/@scope/part/a.js',
      'node_modules/plain/node_modules/@scope/part/a.js',
      'node_modules/plain/a.js',
      'node_modules/again/node_modules/plain/a.js',
    ];
    const want = ['pkg:npm/%40scope/part@2.0.0', 'pkg:npm/%40scope/part@2.1.0', 'pkg:npm/plain@1.0.0'];
    assert.deepEqual(purls(...inputs).sort(), want);
    assert.deepEqual(purls(...inputs.toReversed()), purls(...inputs));
  });

  test('says of a package what the lockfile says, its hash in hex', () => {
    assert.deepEqual(sbom(['node_modules/@scope/part/a.js'], lockfile, []).components, [
      {
        type: 'library',
        'bom-ref': 'pkg:npm/%40scope/part@2.0.0',
        group: '@scope',
        name: 'part',
        version: '2.0.0',
        hashes: [{ alg: 'SHA-512', content: '000102' }],
        licenses: [{ expression: 'MIT' }],
        purl: 'pkg:npm/%40scope/part@2.0.0',
      },
    ]);
  });

  test('names what is deployed', () => {
    const { component } = sbom([], lockfile, [{ name: 'a.zip', sha256: 'ab' }]).metadata;
    assert.equal(component.purl, 'pkg:npm/topicsmith@1.2.3');
    assert.deepEqual(component.components, [
      { type: 'file', 'bom-ref': 'a.zip', name: 'a.zip', hashes: [{ alg: 'SHA-256', content: 'ab' }] },
    ]);
  });

  for (const name of ['unlicensed', 'unknown'])
    test(`is not made with a package that is ${name}`, () =>
      assert.throws(() => purls(`node_modules/${name}/a.js`), {
        message: `package-lock.json does not say version, integrity and licence of node_modules/${name}`,
      }));
});
