// The version, from package.json where the program runs from source; the packager puts it in as a constant.
import { readFileSync } from 'node:fs';

declare const ECK_AIRGAP_VERSION: string | undefined;

export const VERSION: string =
  typeof ECK_AIRGAP_VERSION === 'string'
    ? ECK_AIRGAP_VERSION
    : (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
