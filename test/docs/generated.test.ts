import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { generatedDocs } from '../../scripts/docs/generated.ts';

test('generated documents are what the code says (npm run docs)', async () => {
  for (const [path, text] of Object.entries(await generatedDocs())) {
    expect(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8'), path).toBe(text);
  }
});
