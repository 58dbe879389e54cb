// Signatures in every form that they may and may not have: whether a reader takes one must not be a matter of taste.
import type { KeyObject } from 'node:crypto';
import { SLOT_SIZE } from '../../src/bundle/slots.ts';
import type { Seeded } from '../../test/support/seeded.ts';
import { signature, slotOf } from './signed-again.ts';

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export interface SigningKeys {
  readonly ecdsa: KeyObject;
  readonly ed25519: KeyObject;
  readonly rsa: KeyObject;
  readonly forger: KeyObject;
}

export interface SlotCase {
  readonly slots: readonly Buffer[];
  /** Whose public keys are trusted. */
  readonly trusted: readonly (keyof SigningKeys)[];
}

type SlotChange = (json: Buffer, keys: SigningKeys, random: Seeded) => SlotCase;

export const slotChanges: Readonly<Record<string, SlotChange>> = {
  'DER in another form': (json, { ecdsa }, random) => ecdsaCase(derForms(signature(ecdsa, json), random)),
  'the other s': (json, { ecdsa }) => {
    const { r, s } = numbersOf(signature(ecdsa, json));
    return ecdsaCase(der(r, ORDER - s));
  },
  'r or s beyond its bounds': (json, { ecdsa }, random) => {
    const { r, s } = numbersOf(signature(ecdsa, json));
    const odd = random.pick([0n, ORDER, ORDER + 1n, r + ORDER, 1n, -1n]);
    return ecdsaCase(random.below(2) === 0 ? der(odd, s) : der(r, odd));
  },
  'base64 in another form': (json, { ecdsa }, random) => {
    const text = signature(ecdsa, json).toString('base64');
    return { slots: [random.pick(base64Forms(text))], trusted: ['ecdsa'] };
  },
  'another key of another kind': (json, keys, random) => {
    const kind = random.pick(['ed25519', 'rsa'] as const);
    const made = signature(keys[kind], json);
    const raw = random.pick([
      made,
      made,
      made.subarray(1),
      made.subarray(0, -1),
      Buffer.concat([Buffer.alloc(1), made]),
      Buffer.concat([made, Buffer.alloc(1)]),
    ]);
    return { slots: [slotOf(raw.toString('base64'))], trusted: [kind] };
  },
  'a signature of the key of another': (json, keys, random) => {
    const signer = random.pick(['ecdsa', 'ed25519', 'rsa', 'forger'] as const);
    const trusted = random.pick(['ecdsa', 'ed25519', 'rsa'] as const);
    return { slots: [slotOf(signature(keys[signer], json).toString('base64'))], trusted: [trusted] };
  },
  'several slots': (json, keys, random) => {
    const texts = [
      '',
      'AAAA',
      'A',
      ...(['ecdsa', 'ed25519', 'forger'] as const).map((one) => signature(keys[one], json).toString('base64')),
    ];
    const slots = Array.from({ length: random.between(1, 17) }, () => slotOf(random.pick(texts)));
    return { slots, trusted: random.pick([['ecdsa'], ['ecdsa', 'ed25519'], ['ed25519', 'ecdsa'], ['ecdsa', 'ecdsa']]) };
  },
};

function ecdsaCase(raw: Buffer): SlotCase {
  return { slots: [slotOf(raw.toString('base64'))], trusted: ['ecdsa'] };
}

function base64Forms(text: string): Buffer[] {
  const bare = text.replace(/=+$/, '');
  const padded = text.length - bare.length;
  const stray = padded === 0 ? text : `${bare.slice(0, -1)}${nextLetter(bare.at(-1) ?? 'A')}${'='.repeat(padded)}`;
  const whole = (slot: string): Buffer => Buffer.from(slot, 'latin1');
  return [
    ...[
      bare,
      `${text}=`,
      stray,
      ` ${text}`,
      `${text} `,
      `${text}\r`,
      `${text}\n${text}`,
      `\n${text}`,
      text.replace('+', '-').replace('/', '_'),
    ].map(slotOf),
    ...[`${text.slice(0, 40)}\n${text.slice(40)}`, `${text}\0`, `${text}ä`, '', '=', '====', 'AA==', 'AB==', text].map(
      slotOf,
    ),
    whole('A'.repeat(SLOT_SIZE)),
    whole('A'.repeat(SLOT_SIZE - 4).padEnd(SLOT_SIZE, '\n')),
    whole(text.padEnd(SLOT_SIZE, '\0')),
    whole(text.padEnd(SLOT_SIZE, ' ')),
    Buffer.alloc(SLOT_SIZE),
  ];
}

/** The next one of the alphabet: it differs in the bits that padding leaves over. */
function nextLetter(letter: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return alphabet[(alphabet.indexOf(letter) + 1) % 64] ?? 'A';
}

function derForms(made: Buffer, random: Seeded): Buffer {
  const { r, s } = numbersOf(made);
  const [R, S] = [integer(r), integer(s)];
  const [padR, padS] = [padded(R), padded(S)];
  return random.pick([
    made,
    sequence(padR, S),
    sequence(R, padS),
    Buffer.concat([Buffer.from([0x30, 0x81, R.length + S.length]), R, S]),
    Buffer.concat([Buffer.from([0x30, 0x80]), R, S, Buffer.alloc(2)]),
    Buffer.concat([made, Buffer.alloc(1)]),
    Buffer.concat([made, made]),
    sequence(R, S, Buffer.from([0x05, 0])),
    sequence(R),
    sequence(R, Buffer.from([0x02, 0])),
    sequence(R, Buffer.from([0x02, 0x81, S.length - 2, ...S.subarray(2)])),
    Buffer.from(made.toString('hex').replace(/^30/, '31'), 'hex'),
    sequence(R, Buffer.from([0x03, ...S.subarray(1)])),
    made.subarray(0, -1),
    Buffer.from([0x30, 0]),
    Buffer.from([0x30]),
    Buffer.from(`${numberHex(r, 32)}${numberHex(s, 32)}`, 'hex'),
    flipped(made, random),
  ]);
}

function flipped(made: Buffer, random: Seeded): Buffer {
  const changed = Buffer.from(made);
  const at = random.below(changed.length);
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  return changed;
}

function numbersOf(made: Buffer): { r: bigint; s: bigint } {
  const length = made[3] ?? 0;
  const read = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);
  return { r: read(made.subarray(4, 4 + length)), s: read(made.subarray(6 + length)) };
}

function der(r: bigint, s: bigint): Buffer {
  return sequence(integer(r), integer(s));
}

function sequence(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

function integer(value: bigint): Buffer {
  if (value < 0n) return Buffer.from([0x02, 1, 0xff]);
  const bytes = Buffer.from(numberHex(value, 1), 'hex');
  const body = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
  return Buffer.concat([Buffer.from([0x02, body.length]), body]);
}

function numberHex(value: bigint, least: number): string {
  const hex = value.toString(16);
  return hex.padStart(Math.max(2 * least, hex.length + (hex.length % 2)), '0');
}

/** One zero more than it needs. */
function padded(whole: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x02, whole.length - 1, 0]), whole.subarray(2)]);
}
