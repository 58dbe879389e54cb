// How other programs move a set of images: out of a registry into OCI layouts in a folder, and from there into a registry.
import { join } from 'node:path';
import type { Mover } from '../interop/own-tools.ts';
import type { LabImage } from './lab.ts';

export interface MoverPeer {
  readonly name: Mover;
  readonly path: string;
  readonly version: string;
}

export interface Move {
  /** Host and port of a registry without TLS. */
  readonly host: string;
  readonly images: readonly LabImage[];
  readonly folder: string;
}

type Command = readonly string[];

interface Commands {
  readonly pull: (image: LabImage, host: string, folder: string) => Command;
  readonly push: (image: LabImage, host: string, folder: string) => Command;
}

const COMMANDS: Readonly<Record<Mover, Commands>> = {
  crane: {
    pull: (image, host, folder) => ['pull', '--insecure', '--format=oci', at(image, host), join(folder, tagOf(image))],
    push: (image, host, folder) => ['push', '--insecure', join(folder, tagOf(image)), at(image, host)],
  },
  oras: {
    pull: (image, host, folder) => {
      const to = ['--to-oci-layout', `${folder}:${tagOf(image)}`];
      return ['copy', '--no-tty', '--from-plain-http', at(image, host), ...to];
    },
    push: (image, host, folder) => {
      const from = ['--from-oci-layout', `${folder}:${tagOf(image)}`];
      return ['copy', '--no-tty', '--to-plain-http', ...from, at(image, host)];
    },
  },
  regctl: {
    pull: (image, host, folder) => [...plain(host), 'image', 'copy', at(image, host), layoutAt(image, folder)],
    push: (image, host, folder) => [...plain(host), 'image', 'copy', layoutAt(image, folder), at(image, host)],
  },
};

/** One shell command that brings all images into the folder, one after the other, and syncs what was written. */
export function pullAll({ name, path }: MoverPeer, { images, host, folder }: Move): string[] {
  const pulls = images.map((image) => quoted([path, ...COMMANDS[name].pull(image, host, folder)]));
  return ['sh', '-ec', [...pulls, `find ${quote(folder)} -type f -exec sync {} +`].join('\n')];
}

/** One shell command that sends all images of the folder, one after the other. */
export function pushAll({ name, path }: MoverPeer, { images, host, folder }: Move): string[] {
  return ['sh', '-ec', images.map((image) => quoted([path, ...COMMANDS[name].push(image, host, folder)])).join('\n')];
}

function at({ name }: LabImage, host: string): string {
  return `${host}/${name}:1.0`;
}

function tagOf({ name }: LabImage): string {
  return name.replaceAll('/', '-');
}

function layoutAt(image: LabImage, folder: string): string {
  return `ocidir://${folder}:${tagOf(image)}`;
}

function plain(host: string): string[] {
  return ['--verbosity', 'error', '--host', `reg=${host},tls=disabled`];
}

function quoted(command: Command): string {
  return `${command.map(quote).join(' ')} > /dev/null`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
