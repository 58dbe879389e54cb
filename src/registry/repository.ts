// skeleton: implementation follows
import type { ByteStream } from '../core/streams.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Content, FetchOptions, PushOptions, ReferrerLister, Target } from '../oci/target.ts';

export type { Credential, CredentialSource } from './credential.ts';
export type { UploadJournal } from './upload-journal.ts';

interface Options {
  readonly signal?: AbortSignal | undefined;
}

export class Repository implements Target, ReferrerLister {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  resolve(_reference: string, _options?: Options): Promise<Descriptor> {
    throw new Error('not yet');
  }
  fetch(_descriptor: Descriptor, _options?: FetchOptions): ByteStream {
    throw new Error('not yet');
  }
  exists(_descriptor: Descriptor, _options?: Options): Promise<boolean> {
    throw new Error('not yet');
  }
  push(_descriptor: Descriptor, _content: Content, _options?: PushOptions): Promise<void> {
    throw new Error('not yet');
  }
  tag(_descriptor: Descriptor, _reference: string, _options?: Options): Promise<void> {
    throw new Error('not yet');
  }
  referrers(_subject: Descriptor, _options?: Options): Promise<Descriptor[]> {
    throw new Error('not yet');
  }
  tags(_signal?: AbortSignal): AsyncIterable<string> {
    throw new Error('not yet');
  }
}
