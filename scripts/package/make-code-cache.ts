// Runs the program as it starts everywhere, and keeps what V8 compiled: what ran, and none of what did not.
// Usage, in the Node that it is for, with --predictable, without which no two runs give the same: make-code-cache PROGRAM OUTPUT
import { readFileSync, writeFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { FILENAME, type Program } from './assets.ts';

const [node = '', , program = '', output = ''] = process.argv;
const script = new Script(readFileSync(program, 'latin1'), { filename: FILENAME });
process.argv = [node, FILENAME, '--version'];
process.on('exit', () => writeFileSync(output, script.createCachedData()));
(script.runInThisContext() as Program)(require, module, __filename);
