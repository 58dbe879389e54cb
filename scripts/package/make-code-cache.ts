// Runs the program as it starts everywhere, and keeps what V8 compiled: what ran, and none of what did not.
// Usage, in the Node that it is for, with --predictable, without which no two runs give the same: make-code-cache PROGRAM OUTPUT
import { readFileSync, writeFileSync } from 'node:fs';
import { compile, FILENAME, type Program } from './assets.ts';

const [node = '', , program = '', output = ''] = process.argv;
const script = compile(readFileSync(program));
process.argv = [node, FILENAME, '--version'];
process.on('exit', () => writeFileSync(output, script.createCachedData()));
(script.runInThisContext() as Program)(require, module, __filename);
