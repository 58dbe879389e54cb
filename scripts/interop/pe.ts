// A Windows binary as Windows reads it: which resources it has. Follows Microsoft's PE format specification.

/** Resources that are plain bytes. */
const RCDATA = 10;
/** A resource type's number, or a name's offset, has this bit where a folder follows, or a name. */
const HIGH_BIT = 0x8000_0000;

/** The names of the RCDATA resources; Node looks for its program among them. */
export function rcdataNames(binary: Buffer): string[] {
  const resources = resourceSection(binary);
  const types = entries(resources, 0);
  const rcdata = types.find(({ id }) => id === RCDATA);
  if (rcdata === undefined) return [];
  return entries(resources, rcdata.at & ~HIGH_BIT)
    .filter(({ id }) => id >= HIGH_BIT)
    .map(({ id }) => text(resources, id - HIGH_BIT));
}

/** The bytes that data directory 2 points to. */
function resourceSection(binary: Buffer): Buffer {
  const pe = binary.readUInt32LE(0x3c);
  const address = binary.readUInt32LE(pe + 24 + 112 + 2 * 8);
  const sections = pe + 24 + binary.readUInt16LE(pe + 20);
  for (let i = 0; i < binary.readUInt16LE(pe + 6); i++) {
    const header = sections + i * 40;
    if (binary.readUInt32LE(header + 12) !== address) continue;
    const offset = binary.readUInt32LE(header + 20);
    return binary.subarray(offset, offset + binary.readUInt32LE(header + 16));
  }
  throw new Error('no section holds the resources');
}

function entries(resources: Buffer, folder: number): { id: number; at: number }[] {
  const count = resources.readUInt16LE(folder + 12) + resources.readUInt16LE(folder + 14);
  return Array.from({ length: count }, (_, i) => ({
    id: resources.readUInt32LE(folder + 16 + i * 8),
    at: resources.readUInt32LE(folder + 16 + i * 8 + 4),
  }));
}

/** A length in characters, then UTF-16. */
function text(resources: Buffer, offset: number): string {
  return resources.toString('utf16le', offset + 2, offset + 2 + resources.readUInt16LE(offset) * 2);
}
