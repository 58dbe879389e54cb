// A set of images like that of a whole Elastic Stack: many layers of every size, a good part of them shared.
import { MIB, type LayerShape } from './image.ts';

const KIB = 1024;
const FAMILIES = 3;
const IMAGES = 12;

/** Layers of the base that the four images of a family share, bytes. */
const BASE = [75 * MIB, 12 * MIB, KIB] as const;
/** One more of the base that every other image has. */
const FONTS = 300 * KIB;

/**
 * 12 images of 102 layers in all, of 1 KiB to 150 MiB; 42 of the layers are in other images too. 2 GiB, what is shared
 * counted once. The same every time.
 * @param scale what sizes are divided by, for a quick run
 */
export function elasticImages(scale = 1): LayerShape[][] {
  return Array.from({ length: IMAGES }, (_, image) => {
    const family = image % FAMILIES;
    const base = [...BASE, ...(image % 2 === 0 ? [FONTS] : [])].map((bytes, i) => ({
      seed: `base-${family}/${i}`,
      bytes,
    }));
    const own = ownLayers(image).map((bytes, i) => ({ seed: `elastic-${image}/${i}`, bytes }));
    return [...base, ...own].map(({ seed, bytes }) => ({ seed, bytes: Math.max(KIB, Math.round(bytes / scale)) }));
  });
}

function ownLayers(image: number): number[] {
  return [
    150 * MIB - 5 * image * MIB,
    20 * MIB + image * MIB,
    1.3 * MIB + image * 50 * KIB,
    (40 + 7 * image) * KIB,
    KIB + image,
  ];
}
