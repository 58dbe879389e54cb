// DER (X.690), as far as the encryption of private keys needs it: values with a definite length, one inside the other.

export const SEQUENCE = 0x30;
export const INTEGER = 0x02;
export const OCTETS = 0x04;
export const OID = 0x06;
export const NULL = Buffer.from([0x05, 0x00]);

export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
}

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.byteLength)]), content]);
}

/** A positive integer of at most 31 bits. */
export function derInteger(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(value, 1);
  const first = bytes.findIndex((byte) => byte !== 0);
  // the first bit is the sign
  return der(INTEGER, bytes.subarray((bytes[first] ?? 0) >= 0x80 ? first - 1 : first));
}

/** The values that follow one another in `bytes`; undefined for what is not DER. */
export function derValues(bytes: Buffer): DerValue[] | undefined {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const [tag = 0, first = 0x80] = bytes.subarray(at);
    const more = first < 0x80 ? 0 : first - 0x80;
    const start = at + 2 + more;
    if (first === 0x80 || more > 3 || start > bytes.byteLength) return undefined;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    if (start + length > bytes.byteLength) return undefined;
    values.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return values;
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}
