// What is tested is what ships: the launcher must have found the pinned Node, whatever Node started it.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

test('the tests run on the Node 24 that package.json pins', async () => {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { optionalDependencies } = JSON.parse(text) as { optionalDependencies: Record<string, string> };
  expect(process.version).toMatch(/^v24\./);
  const pinned = optionalDependencies[`node-${process.platform}-${process.arch}`];
  if (pinned !== undefined) expect(process.version).toBe(`v${pinned}`);
});
