// transfer.html in a browser: nothing is refused or complained of, everything can be read on a screen and on paper.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished } from 'vitest';
import { A4, LETTER, openPage, type Page } from '../../scripts/interop/chromium.ts';
import { SMALL } from '../../scripts/interop/images.ts';
import { output } from '../../scripts/interop/process.ts';
import { transferHtml } from '../../src/bundle/transfer/page.ts';
import { FACTS, FILES, IMAGES, MANIFEST } from '../support/transfer.ts';
import { journey, once } from './stage/journey.ts';
import type { Stage } from './stage/setup.ts';
import { makeSite, scratchFolder } from './stage/site.ts';

const site = once((stage) => makeSite(stage, { images: [SMALL] }));

/** Many images, so that tables go over several pages. */
const MANY = Array.from({ length: 40 }, (_, i) =>
  IMAGES.map((image) => ({ ...image, name: image.name.replace(/:/, `-${i}:`) })),
).flat();

async function opened(path: string): Promise<Page> {
  const page = await openPage(pathToFileURL(path).href);
  onTestFinished(() => page.close());
  return page;
}

async function written(stage: Stage, name: string, facts = FACTS): Promise<string> {
  const path = join(await scratchFolder(stage, 'transfer-'), name);
  await writeFile(path, transferHtml(MANIFEST, facts));
  return path;
}

/** Elements with text of their own whose colour is too near to that behind it (WCAG 2.2, AA). */
const POOR_CONTRAST = `(() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (!/, 0\\)$/.test(backgroundColor)) return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
  return [...document.body.querySelectorAll('*')].filter(hasText).flatMap((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05) < 4.5 ? [element.textContent.slice(0, 80)] : [];
  });
})()`;

describe('11 transfer.html in Chromium', () => {
  journey('as build writes it: nothing is refused, and its image is there', { needs: ['chromium'] }, async (stage) => {
    const { media } = await site(stage);
    const page = await opened(join(media, 'transfer.html'));
    expect(await page.value('document.body.innerText')).toContain(SMALL);
    expect(await page.value('getComputedStyle(document.body).maxWidth')).not.toBe('none'); // its style is applied
    expect(page.complaints).toEqual([]);
  });

  journey('a page with one of everything: all is to be seen', { needs: ['chromium'] }, async (stage) => {
    const page = await opened(await written(stage, 'transfer.html'));
    const shown = String(await page.value('document.body.innerText'));
    expect(
      [...IMAGES, ...FILES].filter(({ name, digest }) => !shown.includes(name) || !shown.includes(digest)),
    ).toEqual([]);
    expect(page.complaints).toEqual([]);
  });

  for (const scheme of ['light', 'dark'] as const) {
    journey(`${scheme}: every text can be read`, { needs: ['chromium'] }, async (stage) => {
      const page = await opened(await written(stage, 'transfer.html'));
      await page.emulate('screen', scheme);
      const background = await page.value('getComputedStyle(document.body).backgroundColor');
      expect(background).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 27)');
      expect(await page.value(POOR_CONTRAST)).toEqual([]);
    });
  }

  for (const width of [1280, 768, 400, 320]) {
    journey(`at ${width} pixels nothing sticks out`, { needs: ['chromium'] }, async (stage) => {
      const page = await opened(await written(stage, 'transfer.html'));
      await page.resize(width, 900);
      expect(await page.value('innerWidth')).toBe(width);
      expect(await page.value('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    });
  }

  journey('on paper: black on white, heads repeated, rows whole', { needs: ['chromium'] }, async (stage) => {
    const page = await opened(await written(stage, 'transfer.html'));
    await page.emulate('print', 'dark');
    expect(await page.value('getComputedStyle(document.body).color')).toBe('rgb(0, 0, 0)');
    expect(await page.value('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect(await page.value(POOR_CONTRAST)).toEqual([]);
    const values = (selector: string, property: string): Promise<unknown> =>
      page.value(
        `[...new Set([...document.querySelectorAll('${selector}')].map((e) => getComputedStyle(e).${property}))]`,
      );
    expect(await values('thead', 'display')).toEqual(['table-header-group']);
    expect(await values('tr', 'breakInside')).toEqual(['avoid']);
  });

  for (const [name, paper] of Object.entries({ A4, Letter: LETTER })) {
    journey(
      `printed on ${name}: every image, numbered pages, heads on each`,
      { needs: ['chromium', 'pdftotext'] },
      async (stage) => {
        const lock = { ...FACTS.lock, images: MANY };
        const path = await written(stage, 'transfer.html', { ...FACTS, lock });
        const page = await opened(path);
        const pdf = join(await scratchFolder(stage, 'pdf-'), 'transfer.pdf');
        await writeFile(pdf, await page.pdf(paper));
        const pages = (await output('pdftotext', ['-layout', pdf, '-']))
          .split('\f')
          .filter((text) => text.trim() !== '');
        const whole = pages.join('').replace(/\s/g, '');
        expect(MANY.filter(({ digest }) => !whole.includes(digest.slice(7, 30)))).toEqual([]);
        expect(pages.length).toBeGreaterThan(10);
        pages.forEach((text, i) => expect(text).toContain(`Page ${i + 1} of ${pages.length}`));
        const within = pages.slice(2, 10);
        expect(within.filter((text) => !/Image +Why it is here +Size +What vouches for it/.test(text))).toEqual([]);
      },
    );
  }
});
