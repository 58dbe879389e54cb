import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeLock, parseLock, type Lock } from '../../src/bundle/lock.ts';
import { flavours } from '../../src/catalog/components.ts';
import { proveClosure, requireComplete, type ClosureProof } from '../../src/catalog/proof.ts';
import { isAirgapError } from '../../src/core/errors.ts';
import { digestOf } from '../../src/core/digest.ts';
import { lockFor, type LockOptions } from '../support/locks.ts';
import { thrown } from '../support/thrown.ts';

const REGISTRY = 'docker.elastic.co/';
const OBSERVABILITY = [
  'elasticsearch',
  'kibana',
  'apm-server',
  'fleet-server',
  'elastic-agent',
  'filebeat',
  'logstash',
];
const MORE = ['maps-server', 'heartbeat', 'metricbeat', 'auditbeat', 'packetbeat', 'package-registry'];

/** What is held is what the lock says, but for `changes` to it. */
function prove(options: LockOptions, change: (images: Lock['images']) => Lock['images'] = (images) => images) {
  const lock = lockFor(options);
  return proveClosure(lock, change(lock.images));
}

const without = (name: string) => (images: Lock['images']) => images.filter((image) => image.name !== name);
const missing = (proof: ClosureProof) => proof.missing.map(({ image }) => image.replace(REGISTRY, ''));
const rowsOf = (proof: ClosureProof, setting: string) =>
  proof.settings.find((one) => one.setting === setting)?.images.map(({ image, named }) => `${image} ${named}`);

/** ECK, versions of the Stack it runs, flavour, what of MORE is possible with them. */
const matrix = ['2.16.0', '2.16.1', '3.0.0', '3.1.0', '3.2.0', '3.3.0', '3.3.2', '3.4.0', '3.4.1', '3.5.0'].flatMap(
  (eck) =>
    (eck.startsWith('2') ? [['8.17.0'], ['7.17.28', '8.17.0']] : [['8.19.8'], ['9.2.2'], ['8.19.8', '9.2.2']])
      .filter((stack) => !stack.includes('7.17.28') || eck.startsWith('2'))
      .flatMap((stack) =>
        flavours
          .filter((flavour) => flavour !== 'wolfi' || !stack.includes('7.17.28'))
          .flatMap((flavour) => [
            { eck, stack, flavour, components: ['elasticsearch', 'kibana'], monitoring: false },
            { eck, stack, flavour, components: stack.includes('7.17.28') ? ['kibana'] : OBSERVABILITY },
            {
              eck,
              stack,
              flavour,
              components: stack.includes('7.17.28') ? MORE.slice(0, 1) : [...OBSERVABILITY, ...MORE],
              packageRegistry: eck.endsWith('1') ? 'full' : 'lite',
              diagnostics: '1.11.0',
            },
          ]),
      ),
);

describe('the closure of', () => {
  test.each(matrix)('ECK $eck, Stack $stack, $flavour, $components is carried, and needs every image', (elastic) => {
    const lock = lockFor({ elastic });
    expect(missing(proveClosure(lock, lock.images))).toEqual([]);
    for (const { name } of lock.images) {
      const [lost, ...others] = proveClosure(lock, without(name)(lock.images)).missing;
      expect([lost?.image, ...others]).toEqual([name]);
      expect(lost?.neededBy.length).toBeGreaterThan(0);
    }
  });

  test('any choice: what is missing is what was taken away, image by image and platform by platform', () => {
    const choice = fc.record({
      eck: fc.constantFrom('2.16.0', '2.16.1', '3.0.0', '3.2.0', '3.3.1', '3.4.0', '3.5.0'),
      stack: fc.uniqueArray(fc.constantFrom('8.15.5', '8.17.0', '8.19.2', '8.19.20', '9.0.8', '9.2.0', '9.5.2'), {
        minLength: 1,
        maxLength: 3,
      }),
      components: fc.uniqueArray(fc.constantFrom(...OBSERVABILITY, ...MORE, 'enterprise-search', 'autoops-agent')),
      flavour: fc.constantFrom(...flavours),
      packageRegistry: fc.constantFrom('full', 'lite'),
      monitoring: fc.boolean(),
    });
    let proven = 0;
    fc.assert(
      fc.property(choice, fc.array(fc.nat(3), { minLength: 60, maxLength: 60 }), (elastic, draws) => {
        const lock = possibleLock(elastic);
        fc.pre(lock !== undefined);
        proven++;
        const expected: string[] = [];
        const held = lock.images.flatMap((image, i) => {
          const fate = draws[i];
          const [first = '', ...rest] = image.platforms;
          if (fate === 0) expected.push(image.name);
          if (fate === 1) expected.push(`${image.name} ${first}`);
          return fate === 0 ? [] : [fate === 1 ? { ...image, platforms: rest } : image];
        });
        const found = proveClosure(lock, held).missing.map(({ image, platforms }) => [image, ...platforms].join(' '));
        expect(found).toEqual(expected);
      }),
      { numRuns: 300 },
    );
    expect(proven).toBe(300);
  });

  test('a lock that was written and read again is the same', () => {
    const lock = lockFor({ elastic: { eck: '3.5.0', stack: ['9.5.2'], components: OBSERVABILITY } });
    const again = parseLock(encodeLock(lock).toString(), 'lock');
    expect(proveClosure(again, again.images)).toEqual(proveClosure(lock, lock.images));
  });

  test('nothing chosen is what airgap.yaml names', () => {
    const name = 'docker.elastic.co/kibana/kibana:9.5.2';
    expect(prove({ images: [name] }).settings[0]?.images).toMatchObject([{ source: name, neededBy: ['airgap.yaml'] }]);
    expect(missing(prove({ images: [name] }, () => []))).toEqual(['kibana/kibana:9.5.2']);
  });
});

function possibleLock(elastic: object): Lock | undefined {
  try {
    return lockFor({ elastic });
  } catch (error) {
    if (isAirgapError(error, 'VERSION_UNSUPPORTED')) return undefined;
    throw error;
  }
}

describe('names', () => {
  const elastic = {
    eck: '3.5.0',
    stack: ['9.5.2'],
    components: ['apm-server', 'package-registry', 'elastic-agent'],
    monitoring: false,
  };

  test('are those of container-registry, with their paths, and those of container-repository, without', () => {
    const proof = prove({ elastic });
    expect(rowsOf(proof, 'container-registry')).toEqual([
      'apm/apm-server:9.5.2 operator',
      'eck/eck-operator:3.5.0 given',
      'elastic-agent/elastic-agent:9.5.2 operator',
      'package-registry/distribution:lite-9.5.2 operator',
    ]);
    expect(rowsOf(proof, 'container-repository')).toEqual([
      'elastic/apm-server:9.5.2 operator',
      'elastic/eck-operator:3.5.0 given',
      'elastic/elastic-agent:9.5.2 operator',
      'package-registry/distribution:lite-9.5.2 operator',
    ]);
  });

  test.each([
    [{ stack: ['9.5.2'] }, 'lite-9.5.2', 'operator'],
    [{ stack: ['9.5.2'], packageRegistry: 'full' }, '9.5.2', 'given'],
    [{ stack: ['8.14.0'] }, 'lite-8.15.1', 'operator'],
    [{ stack: ['9.1.0'], flavour: 'ubi' }, 'lite-9.1.8-ubi', 'operator'],
    [{ stack: ['9.5.2'], flavour: 'wolfi' }, 'lite-9.5.2', 'given'],
  ])('of the package registry for %o are tagged %s, by the %s', (choice, tag, named) => {
    const proof = prove({ elastic: { eck: '3.5.0', components: ['package-registry'], ...choice } });
    expect(rowsOf(proof, 'container-registry')).toContain(`package-registry/distribution:${tag} ${named}`);
    expect(missing(proof)).toEqual([]);
  });

  test('are given in these cases alone; everywhere else the operator finds what is published', () => {
    const given = new Set<string>();
    for (const one of matrix) {
      for (const { named, source } of prove({ elastic: one }).settings.flatMap(({ images }) => images)) {
        const [, repository = ''] = /([^/]+\/[^/]+):/.exec(source) ?? [];
        if (named === 'given') given.add(`${repository} ${one.flavour === 'wolfi' ? 'wolfi' : 'any'}`);
      }
    }
    expect([...given].sort()).toEqual([
      'eck-dev/support-diagnostics any',
      'eck-dev/support-diagnostics wolfi',
      'eck/eck-operator any',
      'eck/eck-operator wolfi',
      'eck/eck-operator-fips any',
      'eck/eck-operator-ubi any',
      'eck/eck-operator-ubi-fips any',
      'elastic-maps-service/elastic-maps-server wolfi',
      'package-registry/distribution any',
      'package-registry/distribution wolfi',
      'support/diagnostics any',
      'support/diagnostics wolfi',
    ]);
  });

  test('that a resource must give count only where the lock says so', () => {
    const lock = lockFor({ elastic: { ...elastic, packageRegistry: 'full' } });
    const images = lock.images.map(({ uses, ...image }) => ({
      ...image,
      uses: (uses ?? []).map(({ component, version = '', why }) => ({ component, version, why })),
    }));
    const proof = proveClosure({ ...lock, images }, images);
    expect(missing(proof)).toEqual(['package-registry/distribution:9.5.2']);
    expect(rowsOf(proof, 'container-registry')).toContain('package-registry/distribution:lite-9.5.2 operator');
  });

  test('count for each version that the lock says so of', () => {
    const choice = { ...elastic, stack: ['9.1.0', '9.1.5'], flavour: 'ubi', packageRegistry: 'full' };
    const lock = lockFor({ elastic: { ...choice, components: ['package-registry'] } });
    const images = lock.images.map(({ uses = [], ...image }) => ({
      ...image,
      uses: uses.filter(({ version }) => version !== '9.1.5'),
    }));
    expect(missing(proveClosure(lock, lock.images))).toEqual([]);
    expect(proveClosure({ ...lock, images }, images).missing).toMatchObject([
      { neededBy: ['Elastic Package Registry, packages included 9.1.5'] },
    ]);
  });

  test('follow the catalogue file that the lock carries', () => {
    const catalogue = `
apiVersion: eck-airgap/v1
kind: Catalogue
components: [{ name: kibana, repositories: [{ repository: ours/kibana }] }]
`;
    const options = { elastic: { ...elastic, components: ['kibana'] }, catalogue };
    expect(rowsOf(prove(options), 'container-registry')).toContain('ours/kibana:9.5.2 given');
    expect(missing(prove(options, without(`${REGISTRY}ours/kibana:9.5.2`)))).toEqual(['ours/kibana:9.5.2']);
  });
});

describe('platforms', () => {
  const elastic = { eck: '3.5.0', stack: ['8.15.5'], components: ['maps-server', 'kibana'], monitoring: false };
  const maps = 'elastic-maps-service/elastic-maps-server-ubi:8.15.5';

  test('are those chosen that an image is published for', () => {
    const rows = prove({ elastic }).settings[0]?.images ?? [];
    expect(rows.find(({ image }) => image === maps)?.platforms).toEqual(['linux/amd64']);
    expect(rows.find(({ image }) => image === 'kibana/kibana:8.15.5')?.platforms).toEqual([
      'linux/amd64',
      'linux/arm64',
    ]);
  });

  test('of all there are: those that were locked', () => {
    const lock = lockFor({ elastic, platforms: 'all' });
    const held = lock.images.map((image) => ({ ...image, platforms: ['linux/arm64'] }));
    expect(proveClosure(lock, lock.images).missing).toEqual([]);
    expect(proveClosure(lock, held).missing.map(({ platforms }) => platforms)).toEqual(
      lock.images.map(() => ['linux/amd64']),
    );
  });

  test('that are missing are named', () => {
    const proof = prove({ elastic }, (images) => images.map((image) => ({ ...image, platforms: ['linux/amd64'] })));
    expect(proof.missing.map(({ image, platforms }) => [image.replace(REGISTRY, ''), platforms])).toEqual([
      ['eck/eck-operator:3.5.0', ['linux/arm64']],
      ['kibana/kibana:8.15.5', ['linux/arm64']],
    ]);
    expect(thrown(() => requireComplete(proof)).message).toContain('is missing for linux/arm64 (needed by ECK 3.5.0)');
  });
});

describe('carried manifests and charts', () => {
  const elastic = { eck: '3.5.0', components: [] };
  const operator = 'docker.elastic.co/eck/eck-operator:3.5.0';
  const digest = digestOf(Buffer.from(operator));

  test('name images that must be there', () => {
    const other = 'docker.elastic.co/eck/eck-operator-ubi:3.5.0';
    const proof = prove({ elastic, files: { 'operator.yaml': [operator], 'chart.tgz': [other] } });
    expect(proof.missing).toEqual([{ image: other, neededBy: ['chart.tgz'], platforms: [] }]);
    const named = prove({ elastic, files: { 'operator.yaml': [operator] } }).settings[0]?.images;
    expect(named).toMatchObject([{ source: operator, neededBy: ['ECK 3.5.0', 'operator.yaml'] }]);
  });

  test.each([
    [`${operator}@${digest}`, true],
    [operator.replace(':3.5.0', `@${digest}`), true],
    [`${operator}@${digestOf(Buffer.from('another'))}`, false],
    ['nginx', false],
  ])('%s is there: %s', (image, there) => {
    const proof = prove({ elastic, files: { 'operator.yaml': [image] } });
    expect(proof.missing.length === 0).toBe(there);
  });

  test('may name the digest of what an image was cut from', () => {
    const lock = lockFor({ elastic, files: { 'operator.yaml': [`${operator}@${digestOf(Buffer.from('index'))}`] } });
    const original = { digest: digestOf(Buffer.from('index')) };
    expect(proveClosure(lock, [{ ...lock.images[0]!, original }]).missing).toEqual([]);
    expect(proveClosure(lock, lock.images).missing).toHaveLength(1);
  });
});

describe('images that flatten to one name', () => {
  const images = ['docker.elastic.co/support/diagnostics:1.11.0', 'docker.elastic.co/eck/diagnostics:1.11.0'];

  test('are both there where paths are kept, and are named with the way out where they are not', () => {
    const [kept, flattened] = prove({ images }).settings;
    expect(kept?.collisions).toEqual([]);
    expect(flattened?.collisions).toEqual([
      `${images[1] ?? ''} and ${images[0] ?? ''} are different images and would both be named elastic/diagnostics:1.11.0. ` +
        'Load without --flatten, or take one of them out of the bundle.',
    ]);
  });

  test('do not, with the tags that diagnostics have', () => {
    const proof = prove({ elastic: { eck: '3.5.0', diagnostics: true } });
    expect(proof.settings.flatMap(({ collisions }) => collisions)).toEqual([]);
  });
});

test('what is missing is refused with its reason and what to add', () => {
  const name = 'docker.elastic.co/beats/filebeat:9.5.2';
  const proof = prove({ elastic: { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana'] } }, without(name));
  const error = thrown(() => requireComplete(proof));
  expect(error.code).toBe('BUNDLE_INCOMPLETE');
  expect(error.exitStatus).toBe(4);
  expect(error.message).toBe(`${name} is missing (needed by Stack monitoring of Kibana 9.5.2)`);
  expect(error.hint).toContain(`images: ["${name}"]`);
  expect(error.details['missing']).toEqual(proof.missing);
});
