// What lies in the binary beside the script that it starts with.

/** The bundled program: an expression that is a function. */
export const PROGRAM = 'program';
/** What V8 compiled of it. */
export const CODE_CACHE = 'code-cache';
/** What stack traces call it. */
export const FILENAME = 'eck-airgap.cjs';

/** Given what it uses of a CommonJS module. */
export type Program = (require: NodeJS.Require, module: unknown, filename: string) => void;
