// What lies in the binary beside the script that it starts with, and how it is compiled: as its code cache was made, or V8
// refuses that.
import { Script } from 'node:vm';

/** The bundled program: an expression that is a function. */
export const PROGRAM = 'program';
/** What V8 compiled of it. */
export const CODE_CACHE = 'code-cache';
/** What stack traces call the program. */
export const FILENAME = 'eck-airgap.cjs';

/** Given what it uses of a CommonJS module. */
export type Program = (require: NodeJS.Require, module: unknown, filename: string) => void;

/** @param source of the program, which is ASCII */
export function compile(source: Buffer, cachedData?: Buffer): Script {
  return new Script(source.toString('latin1'), { filename: FILENAME, cachedData });
}
