// The program as one file: the platforms it is packaged for, and how the files are named.

export const INSTALLER_PLATFORMS = ['linux-x64', 'linux-arm64', 'win-x64'] as const;
export type InstallerPlatform = (typeof INSTALLER_PLATFORMS)[number];

/** The running program where it is one file. */
export interface PackagedProgram {
  readonly path: string;
  readonly platform: InstallerPlatform;
}

export function isInstallerPlatform(name: string): name is InstallerPlatform {
  return INSTALLER_PLATFORMS.some((platform) => platform === name);
}

export function installerName(platform: InstallerPlatform): string {
  return `eck-airgap-${platform}${platform.startsWith('win') ? '.exe' : ''}`;
}

export function isInstallerName(name: string): boolean {
  return INSTALLER_PLATFORMS.some((platform) => installerName(platform) === name);
}
