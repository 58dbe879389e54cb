// Fingerprints as people handle them: read aloud, typed from a card.

/** 16 groups of 4 hexadecimal digits. */
export function fingerprintGroups(fingerprint: string): string[] {
  return fingerprint.replace(/^sha256:/, '').match(/.{4}/g) ?? [];
}

/** Whether what was typed is group `index` (from 0); case and blanks do not count. */
export function confirmsGroup(fingerprint: string, index: number, typed: string): boolean {
  const group = fingerprintGroups(fingerprint)[index];
  return group !== undefined && typed.replace(/\s/g, '').toLowerCase() === group;
}
