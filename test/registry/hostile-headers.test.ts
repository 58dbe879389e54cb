// Headers as no specification has them: what comes of a pull, a push, a list or a download is the content or an error of the
// server's, never a defect of the program.
import { expect, test } from 'vitest';
import { isAirgapError } from '../../src/core/errors.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { changes } from '../support/faults.ts';
import { bench, CHUNK, download, drain, NAME, sample, sampleBytes, sampleManifest } from '../support/registry-bench.ts';
import { webBench } from '../support/web-bench.ts';

const headers = [
  'content-range',
  'content-type',
  'docker-content-digest',
  'etag',
  'last-modified',
  'link',
  'location',
  'oci-chunk-min-length',
  'oci-subject',
  'range',
  'retry-after',
  'www-authenticate',
  'content-encoding',
] as const;

const values = [
  '',
  ',',
  '-1',
  '99999999999999999999',
  'bytes 9007199254740993-9007199254740994/9007199254740995',
  '%zz',
  'http://[',
  '//[x',
  '<http://[>; rel="next"',
  '<%>; rel=next',
  '"',
  'Bearer realm="http://["',
  'Bearer realm=""',
  'sha256:',
  'Fri, 99 Feb 99999 99:99:99 GMT',
  'x'.repeat(6000),
  '\u00e9\u00ff',
];

/** In turn; undefined leaves it as it is. */
const statuses = [undefined, 401, 302, undefined, 416, 429, 503];

const blob = sample(sampleBytes(5 * CHUNK));
const manifest = sampleManifest();

test.each(headers)(
  '%s',
  async (name) => {
    const odd: string[] = [];
    for (const [i, value] of values.entries()) {
      const status = statuses[(i + name.length) % statuses.length];
      const fault = changes((reply) => ({
        ...reply,
        status: status ?? reply.status,
        headers: { ...reply.headers, [name]: value },
      }));
      const made = await bench({}, { retries: 1 });
      made.server.memory.putManifest(NAME, { mediaType: OCI_MANIFEST, bytes: manifest.bytes }, 'v1');
      for (const method of ['HEAD', 'GET', 'POST', 'PATCH', 'PUT']) made.server.misbehave({ method, times: 4 }, fault);
      const web = await webBench({}, { retries: 1 });
      web.server.misbehave({ at: 1, times: 2 }, fault);
      const work: Record<string, Promise<unknown>> = {
        push: made.repository.push(blob.descriptor, blob.content),
        tag: made.repository.resolve('v1'),
        pull: download(made.repository, manifest.descriptor),
        referrers: made.repository.referrers(manifest.descriptor),
        tags: Promise.resolve(made.repository.tags()[Symbol.asyncIterator]().next()),
        file: drain(web.files.fetch(web.url)),
      };
      const errors = await Promise.all(
        Object.values(work).map((task) =>
          task.then(
            () => undefined,
            (thrown: unknown) => thrown,
          ),
        ),
      );
      for (const [n, what] of Object.keys(work).entries()) {
        const error = errors[n];
        if (error !== undefined && (!isAirgapError(error) || error.code === 'INTERNAL'))
          odd.push(
            `${what} ${status ?? ''} ${JSON.stringify(value)}: ${error instanceof Error ? error.stack : 'no error'}`,
          );
      }
    }
    expect(odd).toEqual([]);
  },
  120_000,
);
