// Colours, where they are wanted: on a terminal that has some, and that nobody asked to have none (https://no-color.org).
import { styleText } from 'node:util';
import type { Io } from './io.ts';

export type Colour = 'red' | 'yellow' | 'cyan';
export type Paint = (colour: Colour, text: string) => string;

export function paintFor(stream: Io['stdout'], { env }: Pick<Io, 'env'>): Paint {
  const plain = stream.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return (colour, text) => (plain ? text : styleText(colour, text, { validateStream: false }));
}
