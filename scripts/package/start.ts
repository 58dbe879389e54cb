// What the binary runs first: the program, which is an asset beside it, compiled with the code cache that was made of it.
// Node's own useCodeCache prints a warning where V8 refuses the cache; this compiles in silence then, as without one.
import { getAssetKeys, getRawAsset } from 'node:sea';
import { CODE_CACHE, compile, PROGRAM, type Program } from './assets.ts';

const cache = getAssetKeys().includes(CODE_CACHE) ? Buffer.from(getRawAsset(CODE_CACHE)) : undefined;
const script = compile(Buffer.from(getRawAsset(PROGRAM)), cache);
(script.runInThisContext() as Program)(require, module, __filename);
