// Writes what follows from the code: the command reference, the table of errors, the keys of airgap.yaml, the JSON Schemas of
// the files people write, and a first such file. A test fails when they are stale.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedDocs } from './docs/generated.ts';

for (const [path, text] of Object.entries(await generatedDocs())) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  console.log(path);
}
