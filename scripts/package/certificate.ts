// Takes the Authenticode signature off a Windows binary: once the program is put in, the signature of Node's makers no
// longer holds, and a signature that does not hold is worse than none. Follows Microsoft's PE format specification.

/** Machine type of x86-64, and the magic number of PE32+. */
const X64 = 0x8664;
const PE32_PLUS = 0x20b;

/**
 * Where the optional header keeps what is read here:
 *
 *     0x3c          offset of 'PE\0\0'
 *     PE + 4        COFF header, 20 bytes: machine type first
 *     PE + 24       optional header: magic number; CheckSum at 64; data directories from 112
 *     directory 4   certificate table: a file offset (not an address) and a size
 */
export interface CertificateTable {
  /** Offset in the file of the directory entry, 8 bytes. */
  readonly entry: number;
  /** Offset in the file of the certificates; 0 where there are none. */
  readonly offset: number;
  readonly size: number;
}

/** @throws Error when it is no 64-bit Windows binary for x86-64 */
export function certificateTable(binary: Buffer): CertificateTable {
  const pe = binary.readUInt32LE(0x3c);
  const optional = pe + 24;
  const isPe = binary.toString('latin1', 0, 2) === 'MZ' && binary.toString('latin1', pe, pe + 4) === 'PE\0\0';
  if (!isPe || binary.readUInt16LE(pe + 4) !== X64 || binary.readUInt16LE(optional) !== PE32_PLUS)
    throw new Error('This is not a Windows binary for x86-64.');
  const entry = optional + 112 + 4 * 8;
  return { entry, offset: binary.readUInt32LE(entry), size: binary.readUInt32LE(entry + 4) };
}

/** The binary without its certificates, which must be the last of the file, and without a checksum over them. */
export function withoutCertificate(binary: Buffer): Buffer {
  const { entry, offset, size } = certificateTable(binary);
  if (size === 0) return binary;
  if (offset + size !== binary.length) throw new Error('The certificates are not at the end of the Windows binary.');
  const bare = Buffer.from(binary.subarray(0, offset));
  bare.fill(0, entry, entry + 8);
  // 0 says that no checksum was made; Windows asks for one in drivers only
  bare.writeUInt32LE(0, entry - 4 * 8 - 112 + 64);
  return bare;
}
