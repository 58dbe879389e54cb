// JSON Canonicalization Scheme (RFC 8785): one value, one sequence of bytes. JSON.stringify already writes numbers and
// strings as the RFC wants (it was made so); what is left is the order of keys and the refusal of what JSON cannot say.
import { AirgapError } from './errors.ts';

/** UTF-8 bytes. Keys are sorted by UTF-16 code units; keys whose value is undefined are left out. @throws INTERNAL */
export function canonicalJson(value: unknown): Buffer {
  return Buffer.from(write(value), 'utf8');
}

function write(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === 'string' && value.isWellFormed()) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${Array.from(value, write).join(',')}]`; // from: a hole is refused, not skipped
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${write(key)}:${write(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new AirgapError('INTERNAL', `a ${typeof value} that JSON cannot say`);
}
