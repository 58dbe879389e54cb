// What the binary runs first: the program, which is an asset beside it, compiled with the code cache that was made of it.
// Node's own useCodeCache prints a warning where V8 refuses the cache; this compiles in silence then, as without one.
import { getAssetKeys, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';
import { CODE_CACHE, FILENAME, PROGRAM, type Program } from './assets.ts';

const cachedData = getAssetKeys().includes(CODE_CACHE) ? Buffer.from(getRawAsset(CODE_CACHE)) : undefined;
const source = Buffer.from(getRawAsset(PROGRAM)).toString('latin1'); // it is ASCII
const script = new Script(source, { filename: FILENAME, cachedData });
(script.runInThisContext() as Program)(require, module, __filename);
