// The registry server against the conformance suite of the OCI distribution specification.
import { describe, expect } from 'vitest';
import { runConformance } from '../../scripts/interop/conformance.ts';
import { journey } from './stage/journey.ts';

describe('07 conformance', () => {
  journey('no case of the suite fails', { needs: ['conformance'] }, async () => {
    const { passed, failures } = await runConformance();
    expect(failures).toEqual([]);
    expect(passed).toBeGreaterThan(500);
  });
});
