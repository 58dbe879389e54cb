import { expect, test } from 'vitest';
import { parseDigest } from '../../src/core/digest.ts';
import { isTag } from '../../src/oci/reference.ts';
import { cosignTags, referrersTag } from '../../src/oci/referrer-tags.ts';

const HEX = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const SUBJECT = parseDigest(`sha256:${HEX}`);

test('the tags that stand for a relation are the ones that cosign and the distribution specification write', () => {
  expect(cosignTags(SUBJECT)).toEqual([`sha256-${HEX}.sig`, `sha256-${HEX}.att`, `sha256-${HEX}.sbom`]);
  expect(referrersTag(SUBJECT)).toBe(`sha256-${HEX}`);
});

test('they are tags', () => {
  for (const tag of [...cosignTags(SUBJECT), referrersTag(SUBJECT)]) expect(isTag(tag)).toBe(true);
});
