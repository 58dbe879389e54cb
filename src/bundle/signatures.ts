// Who signed a bundle: its signature slots against the keys that are trusted. This happens over the raw bytes of bundle.json,
// before any of them is parsed.
import { AirgapError } from '../core/errors.ts';
import type { PublicKey } from '../signing/public-key.ts';
import { verifySignature } from '../signing/signature.ts';
import type { Front } from './medium.ts';
import { decodeSlot, slotPath } from './slots.ts';

export interface SlotState {
  readonly slot: number;
  /** `malformed` only where nothing was verified. */
  readonly state: 'empty' | 'verified' | 'no key for it' | 'malformed';
  /** Of the key that it verifies with. */
  readonly fingerprint?: string;
}

/**
 * Every key must have signed; every slot must be empty or well-formed.
 * @throws KEY_REQUIRED, SIGNATURE_INVALID, BUNDLE_CORRUPT
 */
export function checkSignatures(front: Front, keys: readonly PublicKey[]): SlotState[] {
  if (keys.length === 0) throw keyRequired();
  const states = front.slots.map((bytes, slot): SlotState => {
    const signature = decodeSlot(bytes);
    if (signature === undefined) {
      throw new AirgapError('BUNDLE_CORRUPT', `the signature slot ${slotPath(slot)} is malformed`, {
        details: { region: slotPath(slot) },
      });
    }
    if (signature === '') return { slot, state: 'empty' };
    const key = keys.find((candidate) => verifySignature(candidate, front.manifest, signature));
    return key ? { slot, state: 'verified', fingerprint: key.fingerprint } : { slot, state: 'no key for it' };
  });
  const without = keys.filter((key) => !states.some((state) => state.fingerprint === key.fingerprint));
  if (without.length > 0) throw notSignedBy(without, states);
  return states;
}

/** What the slots hold, with nothing verified. */
export function describeSlots(front: Front): SlotState[] {
  return front.slots.map((bytes, slot) => {
    const signature = decodeSlot(bytes);
    return { slot, state: signature === undefined ? 'malformed' : signature === '' ? 'empty' : 'no key for it' };
  });
}

export function keyRequired(): AirgapError {
  return new AirgapError('KEY_REQUIRED', 'no public key was given to check the signature with', {
    hint: 'Pass --key airgap.pub, a public key that came another way than the media.',
  });
}

function notSignedBy(keys: readonly PublicKey[], states: readonly SlotState[]): AirgapError {
  const fingerprints = keys.map((key) => key.fingerprint);
  return new AirgapError(
    'SIGNATURE_INVALID',
    `no signature on this bundle was made with the key ${fingerprints.join(', ')}: bundle.json or its signature was changed, or another key signed it`,
    {
      hint: 'Compare the fingerprint with the trust card. If it is the right key, do not use this bundle; carry it over again.',
      details: { fingerprints, signatures: states },
    },
  );
}
