// `npm run build`: dist/eck-airgap.cjs, which any Node 24 runs.
import { bundleProgram } from './build/bundle.ts';

const outfile = 'dist/eck-airgap.cjs';

await bundleProgram(outfile);
console.log(outfile);
