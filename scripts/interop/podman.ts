// podman with storage of its own, so that it neither sees nor leaves anything in the machine's. Containers run with runc
// and small limits, which work in unprivileged surroundings such as a CI container.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output, run, type Finished, type RunOptions } from './process.ts';

const CONTAINERS_CONF = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
`;

export interface Podman {
  /** Runs podman. @throws Error when it fails */
  run(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Process id, on this machine, of a running container's first process. */
  pidOf(container: string): Promise<string>;
  /** Removes all containers, images and storage. */
  stop(): Promise<void>;
}

export async function openPodman(folder: string): Promise<Podman> {
  await mkdir(folder, { recursive: true });
  // podman refuses more than 50 characters here; .ci/run finds it by the file
  const runroot = await mkdtemp('/run/eck-airgap-');
  await writeFile(join(folder, 'runroot'), runroot);
  const conf = join(folder, 'containers.conf');
  await writeFile(conf, CONTAINERS_CONF);
  const storage = ['--root', join(folder, 'root'), '--runroot', runroot, '--tmpdir', join(folder, 'tmp')];
  const env = { CONTAINERS_CONF: conf };
  const podman: Podman['run'] = (args, options) => run('podman', [...storage, ...args], { ...options, env });
  return {
    run: podman,
    pidOf: (container) => output('podman', [...storage, 'inspect', '--format', '{{.State.Pid}}', container], { env }),
    stop: async () => {
      await podman(['rm', '--all', '--force', '--time', '1'], { mayFail: true });
      await podman(['rmi', '--all', '--force'], { mayFail: true });
      await run('umount', [join(folder, 'root', 'overlay')], { mayFail: true });
      for (const used of [runroot, folder]) await rm(used, { recursive: true, force: true });
    },
  };
}

/** What `curl` in the container's own network gets from a URL; the container needs no network beyond its loopback. */
export async function curlInside(pid: string, url: string): Promise<string> {
  const curl = [
    'curl',
    '--silent',
    '--show-error',
    '--fail',
    '--retry',
    '20',
    '--retry-connrefused',
    '--retry-delay',
    '1',
  ];
  return (await run('nsenter', ['--target', pid, '--net', '--', ...curl, url])).stdout;
}
