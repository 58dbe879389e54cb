// An NGINX image out of Debian packages, made once and kept in the project's cache: debootstrap takes half a minute.
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output, run } from './process.ts';
import { cacheFolder } from './tools.ts';
import { addImage, initLayout, type Layer } from './umoci.ts';

export const NGINX_TAG = 'app';
export const NGINX_PAGE = 'It crossed the gap.\n';

/** The layout that holds the image under NGINX_TAG. Change the name when the image changes. */
export async function nginxLayout(): Promise<string> {
  const kept = join(cacheFolder, 'interop', 'nginx-1');
  const there = await access(kept).then(
    () => true,
    () => false,
  );
  if (there) return kept;
  await mkdir(join(cacheFolder, 'interop'), { recursive: true });
  const work = await mkdtemp(join(cacheFolder, 'interop', 'making-'));
  try {
    await initLayout(join(work, 'layout'));
    const command = ['nginx', '-g', 'daemon off; error_log /dev/stderr warn;'];
    await addImage(join(work, 'layout'), NGINX_TAG, await layers(work), { architecture: 'amd64', command });
    await rename(join(work, 'layout'), kept);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return kept;
}

async function layers(work: string): Promise<Layer[]> {
  const rootfs = join(work, 'rootfs');
  const page = join(work, 'index.html');
  await writeFile(page, NGINX_PAGE);
  const suite = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  const options = ['--variant=minbase', '--include=nginx-light'];
  await run('debootstrap', [...options, suite, rootfs, ...(await debianMirror(suite))]);
  for (const waste of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
    await rm(join(rootfs, waste), { recursive: true, force: true });
  }
  return [
    { from: rootfs, to: '/' },
    { from: page, to: '/var/www/html/index.html' },
  ];
}

/** Where this machine's apt gets the suite from; debootstrap's own default when apt does not say. */
async function debianMirror(suite: string): Promise<string[]> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const lines = (await output('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])).split('\n');
  const own = lines.map((line) => line.split(' ')).find(([, release, part]) => release === suite && part === 'main');
  return own?.[0] === undefined ? [] : [own[0]];
}
