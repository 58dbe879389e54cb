// Every command of the trust card, exactly as it is printed, typed into a shell in front of a media folder that was built.
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cardCommands, type CardCommands } from '../support/card-commands.ts';
import { journey, type Journey } from '../support/journey.ts';
import { haveTools } from '../support/tools.ts';

const PROGRAMS = ['eck-airgap-linux-x64', 'eck-airgap-linux-arm64'];
const TOOLS = ['sh', 'openssl', 'base64', 'sha256sum', 'mktemp', 'grep', 'sed', 'uname', 'cat', 'mv', 'chmod'];
const possible = haveTools('the commands of the trust card', ...TOOLS);
const program = process.arch === 'arm64' ? 'eck-airgap-linux-arm64' : 'eck-airgap-linux-x64';

let site: Journey;
let card: CardCommands;
let fingerprint: string;
beforeEach(async () => {
  site = await journey();
  await mkdir(site.path('packaged'));
  await mkdir(site.path('private'));
  for (const name of PROGRAMS) await writeFile(site.path('packaged', name), `#!/bin/sh\nprintf 'ran %s\\n' "$0 $*"\n`);
  const keys = await site.run('keygen', '--out', 'keys', '--no-passphrase', '--json');
  fingerprint = (JSON.parse(keys.stdout) as { fingerprint: string }).fingerprint.slice('sha256:'.length);
  card = cardCommands((await site.read('keys', 'trust-card.txt')).toString());
  await build('media', 'keys/airgap.key');
});
afterEach(() => site.end());

async function build(media: string, key: string): Promise<void> {
  const args = ['build', 'airgap.yaml', '--key', key, '--out', media, '--installers', 'packaged'];
  expect((await site.run(...args)).status).toBe(0);
}

interface Typing {
  readonly media?: string;
  readonly key?: string;
  readonly commands?: readonly string[];
  readonly cwd?: string;
  readonly shell?: readonly string[];
  readonly path?: string;
}

/** One shell, as a person has it: a command that fails does not end it. Answers all that is printed. */
function type(typing: Typing = {}): string {
  const { media = site.path('media'), key = site.path('keys', 'airgap.pub') } = typing;
  const { commands = card.steps, cwd = site.folder, shell = ['sh'], path = process.env['PATH'] } = typing;
  const [file = 'sh', ...args] = shell;
  const { stdout, stderr } = spawnSync(file, [...args, '-c', commands.join('')], {
    cwd,
    env: { PATH: path, TMPDIR: site.path('private') },
    input: `${media}\n${key}\n`,
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`;
}

/** Where the program ran, and with what. */
const ran = (printed: string): string | undefined => /^ran (.*)$/m.exec(printed)?.[1];

describe.skipIf(!possible)('the commands of the trust card', () => {
  test('are six, and two blocks more for a machine without openssl', () => {
    expect(card.steps).toHaveLength(6);
    expect(card.withoutOpenssl).toHaveLength(2);
    expect(card.forWindows).toContain('eck-airgap-win-x64.exe');
  });

  test.each(['sh', 'bash --norc', 'busybox sh'])('check a media folder and run the copy, in %s', (words) => {
    const shell = words.split(' ');
    if (!haveTools(`the trust card in ${words}`, shell[0] ?? '')) return;
    const printed = type({ shell });
    expect(printed).toContain(fingerprint);
    expect(printed).toContain('Verified OK');
    expect(printed).toContain(`${program}: OK`);
    const [copy = '', ...args] = ran(printed)?.split(' ') ?? [];
    expect(copy).toMatch(new RegExp(`^${site.path('private')}/[^/]+/${program}$`));
    expect(args).toEqual(['verify', site.path('media'), '--key', copy.replace(program, 'airgap.pub')]);
  });

  test('leave the media as it is, and the copies to who made them', async () => {
    const before = await stateOf(site.path('media'));
    type();
    expect(await stateOf(site.path('media'))).toEqual(before);
    const [work = ''] = await readdir(site.path('private'));
    expect((await stat(site.path('private', work))).mode & 0o777).toBe(0o700);
  });

  test('take paths with blanks, quotes, dollars and backslashes', async () => {
    const odd = `my "usb" it's $HOME \\n`;
    await rename(site.path('media'), site.path(odd));
    await mkdir(site.path(`keys of ${odd}`));
    await copyFile(site.path('keys', 'airgap.pub'), site.path(`keys of ${odd}`, 'airgap.pub'));
    const printed = type({ media: site.path(odd), key: site.path(`keys of ${odd}`, 'airgap.pub') });
    expect(ran(printed)).toContain(`verify ${site.path(odd)} --key`);
  });

  test('run what they checked, whatever becomes of the media meanwhile', async () => {
    const evil = `printf '#!/bin/sh\\necho evil\\n' > "$media/${program}"\n`;
    const printed = type({ commands: [...card.steps.slice(0, 3), evil, ...card.steps.slice(3)] });
    expect(ran(printed)).toContain(program);
    expect(printed).not.toContain('evil');
    expect(await readFile(site.path('media', program), 'utf8')).toContain('evil');
  });

  test.skipIf(!canMount())('work on media that is read-only and runs nothing', () => {
    const mount =
      'mount --bind "$0" "$0" && mount -o remount,bind,ro,noexec "$0" && ! touch "$0/x" 2>&1 && exec sh "$@"';
    const printed = type({ shell: ['unshare', '-rm', 'sh', '-c', mount, site.path('media')] });
    expect(printed).toMatch(/read-only/i);
    expect(ran(printed)).toContain(program);
  });
});

describe.skipIf(!possible)('nothing runs', () => {
  const nothing = (typing?: Typing): void => expect(ran(type(typing))).toBeUndefined();

  test('of a program that was changed', async () => {
    await writeFile(site.path('media', program), '#!/bin/sh\necho "ran evil"\n');
    nothing();
  });

  test('with a list that was changed to fit it', async () => {
    await writeFile(site.path('media', program), '#!/bin/sh\necho "ran evil"\n');
    const sum = spawnSync('sha256sum', [program], { cwd: site.path('media'), encoding: 'utf8' }).stdout;
    await writeFile(site.path('media', 'SHA256SUMS'), sum);
    nothing();
  });

  test('with a list that somebody else made and signed', async () => {
    await site.run('keygen', '--out', 'other', '--no-passphrase');
    await build('theirs', 'other/airgap.key');
    for (const name of await readdir(site.path('theirs')))
      await copyFile(site.path('theirs', name), site.path('media', name));
    nothing();
  });

  test('that the list does not have', async () => {
    await rm(site.path('packaged', program));
    await build('without', 'keys/airgap.key');
    await writeFile(site.path('without', program), '#!/bin/sh\necho "ran evil"\n');
    nothing({ media: site.path('without') });
  });

  test.each(['SHA256SUMS', 'SHA256SUMS.sig', program])('where %s is missing', async (name) => {
    await rm(site.path('media', name));
    nothing();
  });

  test('of other names that lie on the media, though the shell stands there', async () => {
    const evil = '#!/bin/sh\necho "ran evil"\n';
    const names = ['eck-airgap', 'signed', 'listed', 'sums.sig', 'airgap.pub', 'openssl', 'sha256sum'];
    for (const name of names) await writeFile(site.path('media', name), evil, { mode: 0o755 });
    expect(ran(type({ cwd: site.path('media') }))).toContain(`${site.path('private')}/`);
    await writeFile(site.path('media', program), evil);
    nothing({ cwd: site.path('media') });
  });

  test('where no folder can be made, even where the shell stands on the media', async () => {
    await rm(site.path('private'), { recursive: true });
    nothing({ cwd: site.path('media') });
  });

  test('where the key is not there', () => nothing({ key: site.path('nowhere', 'airgap.pub') }));
});

describe.skipIf(!possible)('on a machine without openssl', () => {
  /** PATH with all that the card needs but openssl. */
  async function without(): Promise<string> {
    await mkdir(site.path('bin'));
    for (const tool of TOOLS.filter((name) => name !== 'openssl')) await symlink(locate(tool), site.path('bin', tool));
    return site.path('bin');
  }

  test('the steps run nothing', async () => {
    expect(ran(type({ path: await without(), shell: [locate('sh')] }))).toBeUndefined();
  });

  test('the digits of key and program are shown, and what is checked by them is run', async () => {
    const path = await without();
    const sum = spawnSync('sha256sum', [program], { cwd: site.path('packaged'), encoding: 'utf8' }).stdout.slice(0, 64);
    const commands = [...card.steps.slice(0, 3), ...card.withoutOpenssl, ...card.steps.slice(5)];
    const printed = type({ path, commands, shell: [locate('sh')] });
    expect(printed).toContain(fingerprint);
    expect(printed).toContain(sum);
    expect(ran(printed)).toContain(`/${program} verify`);
  });
});

function locate(tool: string): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, tool)).find((path) => existsSync(path)) ?? tool;
}

function canMount(): boolean {
  const can = spawnSync('unshare', ['-rm', 'true']).status === 0;
  if (!can) console.log('skipped: read-only media: no file system can be mounted here (unshare -rm)');
  return can;
}

async function stateOf(folder: string): Promise<unknown[]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async (name) => {
      const { ino, mtimeMs, mode, size } = await stat(join(folder, name));
      return [name, ino, mtimeMs, mode, size];
    }),
  );
}
