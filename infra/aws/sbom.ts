/** What is inside: a CycloneDX list of the packages that the bundles were made of, as the lockfile has them. */

/** A package as package-lock.json has it. */
type Locked = { readonly version?: string; readonly integrity?: string; readonly license?: string };
export type Lockfile = {
  readonly name: string;
  readonly version: string;
  readonly packages: Readonly<Record<string, Locked>>;
};

/** A file that is deployed, and its SHA-256 in hex. */
export type Deployed = { readonly name: string; readonly sha256: string };

/**
 * @param inputs paths of everything that went into the bundles, as esbuild's metafile names them
 * @returns a document without time and serial number, so that the same bundles give the same bytes
 * @throws Error for a package that the lockfile does not have, or has without version, integrity or licence
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function sbom(inputs: readonly string[], lockfile: Lockfile, deployed: readonly Deployed[]) {
  const places = [...new Set(inputs.map(packageOf).filter((place) => place !== undefined))].sort();
  const own = `pkg:npm/${lockfile.name}@${lockfile.version}`;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': own,
        name: lockfile.name,
        version: lockfile.version,
        purl: own,
        components: deployed.map(({ name, sha256 }) => ({
          type: 'file',
          'bom-ref': name,
          name,
          hashes: [{ alg: 'SHA-256', content: sha256 }],
        })),
      },
    },
    components: uniqueBy(
      places.map((place) => component(place, lockfile.packages[place])),
      ({ purl }) => purl,
    ),
  };
}

/** Where the package of a file is installed, as the lockfile names it; undefined for our own files. */
function packageOf(path: string): string | undefined {
  const [place] = /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(path) ?? [];
  return place;
}

function component(place: string, { version, integrity, license }: Locked = {}) {
  if (version === undefined || integrity === undefined || license === undefined)
    throw new Error(`package-lock.json does not say version, integrity and licence of ${place}`);
  const full = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const [name = '', group] = full.split('/').reverse();
  const purl = `pkg:npm/${full.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group !== undefined && { group }),
    name,
    version,
    hashes: integrity.split(' ').map(hashOf),
    licenses: [{ expression: license }],
    purl,
  };
}

/** Subresource integrity has base64, CycloneDX hex: `sha512-…` becomes `SHA-512`. */
function hashOf(integrity: string) {
  const [algorithm = '', digest = ''] = integrity.split(/-(.*)/s);
  return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') };
}

const uniqueBy = <T>(items: readonly T[], key: (item: T) => string): T[] => [
  ...new Map(items.map((item) => [key(item), item])).values(),
];
