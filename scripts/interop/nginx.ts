// An NGINX image out of Debian packages, made once and kept in the project's cache: debootstrap takes half a minute.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debootstrap } from './debian.ts';
import { keptFolder } from './kept.ts';
import { addImage, initLayout, type Layer } from './umoci.ts';

export const NGINX_TAG = 'app';
export const NGINX_PAGE = 'It crossed the gap.\n';

/** The layout that holds the image under NGINX_TAG. Change the name when the image changes. */
export async function nginxLayout(): Promise<string> {
  return keptFolder('nginx-1', async (layout, work) => {
    await initLayout(layout);
    const command = ['nginx', '-g', 'daemon off; error_log /dev/stderr warn;'];
    await addImage(layout, NGINX_TAG, await layers(work), { architecture: 'amd64', command });
  });
}

async function layers(work: string): Promise<Layer[]> {
  const rootfs = join(work, 'rootfs');
  const page = join(work, 'index.html');
  await writeFile(page, NGINX_PAGE);
  await debootstrap(rootfs, ['nginx-light']);
  return [
    { from: rootfs, to: '/' },
    { from: page, to: '/var/www/html/index.html' },
  ];
}
