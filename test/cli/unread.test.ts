// A bundle that carries what could not be read for images never calls itself plainly complete.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { closureLines } from '../../src/cli/closure.ts';
import { journey, type Journey } from '../support/journey.ts';

let site: Journey | undefined;
afterEach(() => site?.end());

test('the lock has it, and the closure says what it does not know', async () => {
  site = await journey();
  await writeFile(join(site.folder, 'pod.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata:\n\tname: tab\n');
  await site.writeSpec({ files: [{ path: 'pod.yaml' }] });
  const built = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media');
  expect([built.status, built.stderr]).toEqual([0, expect.stringContaining('Warning: pod.yaml was not read')]);
  expect((await site.read('airgap.lock.yaml')).toString()).toContain('unread:');
  const { status, stdout } = await site.run('inspect', 'media', '--key', 'airgap.pub', '--closure');
  expect(status).toBe(0);
  expect(stdout).toContain('not read for images: pod.yaml is not YAML');
  expect(stdout).toContain('complete, but for what could not be read: pod.yaml');
  expect(stdout).not.toContain('complete: ');
});

test('nothing is called complete under a row that says that it is not', () => {
  const image = {
    ...{ image: 'a/app:1', source: 'r.example/a/app:1', platforms: ['linux/amd64'], neededBy: ['pod.yaml'] },
    ...{ named: 'given', present: true, platformsMissing: [], pushedAs: `sha256:${'a'.repeat(64)}` },
  } as const;
  const settings = [{ setting: 'container-registry', images: [image], collisions: [] }] as const;
  const lines = closureLines({ settings, missing: [], unread: [] } as unknown as Parameters<typeof closureLines>[0], {
    width: Infinity,
  }).map((line) => (typeof line === 'string' ? line : line.text));
  expect(lines.join('\n')).toMatch(/^NOT as named +a\/app:1/m);
  expect(lines.filter((line) => line.startsWith('complete'))).toEqual([]);
});
