// Bytes that came from a socket, for who only borrows them: the memory of a piece that was used up is given back at once. Such
// pieces are garbage as fast as they come, and a collector is late (docs/adr/0006). This rests on what undici does: the pieces
// of a body are those that the socket read, each in memory of its own that nobody else holds.
import type { Borrowed, ByteStream } from '../core/streams.ts';

/** @param pieces straight from bodies of undici, which nobody else has */
export async function* lendReceived(pieces: ByteStream): AsyncGenerator<Borrowed> {
  for await (const bytes of pieces) {
    yield { bytes };
    giveBack(bytes);
  }
}

/** A piece that shares its memory, with a pool or a header before it, leaves it to the collector. */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}
