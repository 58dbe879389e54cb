import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AirgapEvent } from '../../src/core/events.ts';
import { openUploadJournal } from '../../src/install/upload-journal.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'eck-airgap-journal-')), 'state');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

const session = { location: 'https://registry.example/v2/a/blobs/uploads/1?_state=x', offset: 42 };

test('an open upload is remembered by the next process, until it is finished', async () => {
  const first = await openUploadJournal(folder, 'registry.example');
  await first.set('a@sha256:1', session);
  await first.set('b@sha256:2', session);
  const second = await openUploadJournal(folder, 'registry.example');
  expect(second.get('a@sha256:1')).toEqual(session);
  await second.delete('a@sha256:1');
  const third = await openUploadJournal(folder, 'registry.example');
  expect(third.get('a@sha256:1')).toBeUndefined();
  expect(third.get('b@sha256:2')).toEqual(session);
});

test("registries are kept apart, and the file is its owner's only", async () => {
  await (await openUploadJournal(folder, 'one.example')).set('a', session);
  expect((await openUploadJournal(folder, 'two.example')).get('a')).toBeUndefined();
  const [file = ''] = await readdir(folder);
  expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
});

test('a journal that cannot be understood is no worse than none', async () => {
  const journal = await openUploadJournal(folder, 'registry.example');
  await journal.set('a', session);
  const [file = ''] = await readdir(folder);
  for (const text of ['not json', '{"a":5}', '']) {
    await writeFile(join(folder, file), text);
    expect((await openUploadJournal(folder, 'registry.example')).get('a')).toBeUndefined();
  }
});

test('nothing is written where nothing was uploaded in chunks', async () => {
  const journal = await openUploadJournal(folder, 'registry.example');
  await journal.delete('a');
  await expect(stat(folder)).rejects.toThrow();
});

describe('a journal that cannot be kept is no condition of an upload', () => {
  async function opened(inTheWay: () => Promise<unknown>) {
    await inTheWay();
    const said: string[] = [];
    const report = (event: AirgapEvent): void => void said.push(event.type);
    return { journal: await openUploadJournal(folder, 'registry.example', { report }), said };
  }

  test('because there is no folder for it: one warning, and it is remembered in this process', async () => {
    const { journal, said } = await opened(() => writeFile(folder, 'a file'));
    await journal.set('a', session);
    await journal.set('b', session);
    expect(journal.get('a')).toEqual(session);
    await journal.delete('a');
    expect([journal.get('a'), said]).toEqual([undefined, ['warning']]);
  });

  test('because it cannot be read', async () => {
    await (await openUploadJournal(folder, 'registry.example')).set('a', session);
    const [file = ''] = await readdir(folder);
    const { journal, said } = await opened(async () => {
      await rm(join(folder, file));
      await mkdir(join(folder, file));
    });
    await journal.set('b', session);
    expect([journal.get('b'), said]).toEqual([session, ['warning']]);
  });
});
