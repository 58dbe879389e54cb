// sha256 of bytes in motion: here, or on other threads (hash-threads.ts) while this one moves the next bytes.
import { createHash } from 'node:crypto';

export interface Hashing {
  /** The 32 bytes of a sha256. The bytes must stay as they are until it is there. */
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /** @param size bytes that are to come, as far as it is known: little is hashed here whatever threads there are */
  begin(size?: number): RunningHash;
}

export interface RunningHash {
  /** Takes in bytes, piece after piece; they may change when it resolves. The next call need not wait for it. */
  update(pieces: readonly Uint8Array[]): Promise<void>;
  /** Ends the hash: 32 bytes. */
  digest(): Promise<Uint8Array>;
}

export const hashingHere: Hashing = {
  sha256: async (bytes) => createHash('sha256').update(bytes).digest(),
  begin: () => {
    const hash = createHash('sha256');
    return {
      update: async (pieces) => {
        for (const piece of pieces) hash.update(piece);
      },
      digest: async () => hash.digest(),
    };
  },
};
