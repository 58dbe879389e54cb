// What vouched for a thing, in words that somebody understands who knows neither cosign nor OpenPGP.
import { fingerprintGroups } from '../../signing/fingerprint.ts';
import type { Verified } from '../lock.ts';

export interface Vouched {
  /** Undefined where nothing does. */
  readonly by?: string;
  /** The key, or where the list is. */
  readonly detail?: string;
}

export function vouchedBy(verified: Verified): Vouched {
  if (verified === 'none') return {};
  switch (verified.by) {
    case 'cosign':
      return { by: 'Signature (cosign) by the key', detail: fingerprintGroups(verified.key).join(' ') };
    case 'fingerprint':
      return { by: `It is ${owner(verified.key)}OpenPGP key, known by its fingerprint`, detail: inFours(verified.key) };
    case 'checksum':
      return verified.from === 'airgap.yaml'
        ? { by: 'SHA-256 written in airgap.yaml' }
        : { by: `${publisher(verified.from)}published SHA-256, at`, detail: verified.from };
  }
}

/** In one line. */
export function vouchedInWords(verified: Verified): string {
  const { by, detail } = vouchedBy(verified);
  return [by ?? 'nothing', detail].filter((part) => part !== undefined).join(' ');
}

/** GPG-KEY-elasticsearch. */
const ELASTIC_KEY = '46095ACC8548582C1A2699A9D27D666CD88E42B4';

function owner(fingerprint: string): string {
  return fingerprint.toUpperCase() === ELASTIC_KEY ? 'Elastic’s ' : 'the pinned ';
}

function publisher(address: string): string {
  const { hostname = '', pathname = '' } = URL.parse(address) ?? {};
  const elastic = hostname.endsWith('.elastic.co') || (hostname === 'github.com' && pathname.startsWith('/elastic/'));
  return elastic ? 'Elastic’s ' : '';
}

function inFours(text: string): string {
  return text.match(/.{1,4}/gs)?.join(' ') ?? '';
}
