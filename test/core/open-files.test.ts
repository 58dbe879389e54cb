import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OpenFiles } from '../../src/core/open-files.ts';
import { temporaryFolder } from '../support/bundle.ts';

/** Twenty files, each with its name in it, and how many were ever open at once. */
async function twenty(most: number) {
  const folder = await temporaryFolder();
  const names = Array.from({ length: 20 }, (_, i) => `file-${i}`);
  for (const name of names) await writeFile(join(folder, name), name);
  const count = { now: 0, most: 0, opened: 0 };
  const files = new OpenFiles<string>({
    most,
    open: async (name) => {
      count.opened++;
      count.most = Math.max(count.most, ++count.now);
      return open(join(folder, name));
    },
    close: async (_, file) => {
      await file.close();
      count.now--;
    },
  });
  const read = (name: string): Promise<string> =>
    files.use(name, async (file) => (await file.read({ position: 0 })).buffer.toString('utf8', 0, name.length));
  return { names, files, count, read };
}

test('never more are open than may be, however many are read at once', async () => {
  const { names, files, count, read } = await twenty(3);
  const wanted = [...names, ...names.toReversed(), ...names];
  expect(await Promise.all(wanted.map(read))).toEqual(wanted);
  expect(count.most).toBeLessThanOrEqual(3);
  await files.close();
  expect(count.now).toBe(0);
});

test('those used last stay open', async () => {
  const { names, files, count, read } = await twenty(3);
  for (let i = 0; i < 10; i++) for (const name of names.slice(0, 3)) await read(name);
  expect(count.opened).toBe(3);
  await files.close();
});

test('one that cannot be opened is not kept, and stops no other', async () => {
  const { files, count, read } = await twenty(1);
  await expect(read('nothing')).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await read('file-1')).toBe('file-1');
  await files.close();
  expect(count.most).toBeLessThanOrEqual(2);
});

test('what closing one says is heard by whoever needed the room', async () => {
  const { names } = await twenty(1);
  const folder = await temporaryFolder();
  for (const name of names) await writeFile(join(folder, name), name);
  const files = new OpenFiles<string>({
    most: 1,
    open: (name) => open(join(folder, name)),
    close: async (name, file) => {
      await file.close();
      if (name === 'file-0') throw new Error('the disk is gone');
    },
  });
  await files.use('file-0', async () => undefined);
  await expect(files.use('file-1', async () => undefined)).rejects.toThrow('the disk is gone');
  await files.close();
});
