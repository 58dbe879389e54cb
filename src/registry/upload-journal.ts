// Where upload sessions are remembered across processes, so that the next run goes on inside a large blob. The client
// only needs this interface; a file of them is kept by whoever runs the load.

export interface UploadSessionRecord {
  /** Absolute URL of the session; checked again before it is used. */
  readonly location: string;
  /** Bytes the registry is known to hold. The registry is asked before anything is sent. */
  readonly offset: number;
}

export interface UploadJournal {
  /** Keys are made by `uploadKey`. */
  get(key: string): UploadSessionRecord | undefined;
  set(key: string, value: UploadSessionRecord): Promise<void> | void;
  delete(key: string): Promise<void> | void;
}

/** @param name repository, as the registry knows it */
export function uploadKey(name: string, digest: string): string {
  return `${name}@${digest}`;
}
