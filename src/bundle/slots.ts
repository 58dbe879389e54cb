// Signature slots: 4 KiB each right behind bundle.json, base64 padded with newlines, so that a slot can be filled in place
// later, by a second person or an HSM.
import { AirgapError } from '../core/errors.ts';
import { decodeBase64 } from '../signing/signature.ts';

export const SLOT_SIZE = 4096;

export function slotPath(slot: number): string {
  return slot === 0 ? 'bundle.json.sig' : `bundle.json.${slot}.sig`;
}

/** @param signature base64 in one line, or empty for a slot to be filled later */
export function encodeSlot(signature: string): Buffer {
  if (signature.length >= SLOT_SIZE)
    throw new AirgapError(
      'SIGNER_FAILED',
      `a signature of ${signature.length} characters does not fit its slot of ${SLOT_SIZE} bytes`,
    );
  return Buffer.from(signature.padEnd(SLOT_SIZE, '\n'), 'latin1');
}

/** The signature in a slot, empty for none; undefined when it is not written exactly as `encodeSlot` does. */
export function decodeSlot(bytes: Buffer): string | undefined {
  const signature = bytes.toString('latin1').replace(/\n+$/, '');
  if (bytes.byteLength !== SLOT_SIZE || signature.length === SLOT_SIZE) return undefined;
  return signature === '' || decodeBase64(signature) ? signature : undefined;
}
