// skeleton: implementation follows
import type { Dispatcher, Agent } from 'undici';
import type { Clock } from './clock.ts';
import type { CredentialSource } from './credential.ts';
import type { Repository } from './repository.ts';
import type { UploadJournal } from './upload-journal.ts';

export interface RegistryOptions {
  readonly plainHttp?: boolean | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly credentials?: CredentialSource | undefined;
  readonly mirror?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly retries?: number | undefined;
  readonly uploads?: UploadJournal | undefined;
  readonly chunkSize?: number | undefined;
  readonly chunkThreshold?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Makes the dispatcher that all requests go through; for proxies. An undici Agent by default. */
  readonly dispatcher?: ((options: Agent.Options) => Dispatcher) | undefined;
  readonly timeouts?: { readonly connect?: number; readonly headers?: number; readonly body?: number } | undefined;
}

export class Registry {
  readonly host: string;
  constructor(host: string, _options: RegistryOptions = {}) {
    this.host = host;
  }
  ping(_signal?: AbortSignal): Promise<void> {
    throw new Error('not yet');
  }
  repository(_name: string): Repository {
    throw new Error('not yet');
  }
  close(): Promise<void> {
    throw new Error('not yet');
  }
}
