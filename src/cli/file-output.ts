// Standard output where it is a file: a disk that becomes full takes a part of what is written, and Node's own stream takes
// that for all of it.
import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';

/** A stream to the file open at this descriptor; undefined where that is none. */
export function fileOutput(descriptor: number): Writable | undefined {
  try {
    if (!fstatSync(descriptor).isFile()) return undefined;
  } catch {
    return undefined;
  }
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        for (let rest = chunk; rest.byteLength > 0;) rest = rest.subarray(writeSync(descriptor, rest));
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
