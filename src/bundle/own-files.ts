// The files that every bundle makes of the rest of itself. They stand before the others.

/** The name of the lock among a bundle's files. */
export const LOCK_FILE = 'airgap.lock.yaml';
export const SBOM_FILE = 'sbom.cdx.json';
export const PROVENANCE_FILE = 'provenance.intoto.json';

/** In the order in which they stand. */
export const OWN_FILES: readonly string[] = [LOCK_FILE, SBOM_FILE, PROVENANCE_FILE];
