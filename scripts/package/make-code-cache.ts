// Runs the program with some arguments, and keeps what V8 compiled: what ran, and none of what did not.
// Usage, in the Node that it is for, with --predictable, without which no two runs give the same:
// make-code-cache PROGRAM OUTPUT ARGUMENT…
import { readFileSync, writeFileSync } from 'node:fs';
import { compile, FILENAME, type Program } from './assets.ts';

const [node = '', , program = '', output = '', ...args] = process.argv;
const script = compile(readFileSync(program));
process.argv = [node, FILENAME, ...args];
process.on('exit', () => writeFileSync(output, script.createCachedData()));
(script.runInThisContext() as Program)(require, module, __filename);
