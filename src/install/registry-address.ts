// Where in the enclave's registry a bundle is loaded: host, and a path below it for sites that share one.
import { AirgapError } from '../core/errors.ts';
import { withoutUrlSecrets } from '../core/url-text.ts';
import { isRegistryHost, isRepository } from '../oci/reference.ts';

export interface RegistryAddress {
  /** Host and port. */
  readonly host: string;
  /** Path below it, without slashes at its ends; empty for none. */
  readonly prefix: string;
}

/** `HOST[:PORT][/PREFIX]`. @throws REFERENCE_INVALID */
export function parseRegistryAddress(text: string): RegistryAddress {
  const scheme = /^[a-z]+:\/\//.exec(text)?.[0];
  const [host = '', ...path] = text.split('/');
  const prefix = path.join('/').replace(/\/$/, '');
  if (scheme === undefined && isRegistryHost(host) && (prefix === '' || isRepository(prefix))) return { host, prefix };
  throw new AirgapError(
    'REFERENCE_INVALID',
    `not a registry address: ${JSON.stringify(withoutUrlSecrets(text).slice(0, 200))}`,
    {
      hint:
        scheme === undefined
          ? 'Write HOST[:PORT][/PREFIX], the prefix in lower case: registry.example:5000/mirror.'
          : `Leave ${scheme} out; plain HTTP beyond loopback is asked for with --plain-http.`,
    },
  );
}
