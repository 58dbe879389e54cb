import { describe, expect, test } from 'vitest';
import { doneTwice } from '../../scripts/chaos/job.ts';
import { queuesFrom } from '../../scripts/chaos/socket-queues.ts';
import { Uploads } from '../../scripts/chaos/uploads.ts';
import { digestOf } from '../../src/core/digest.ts';

const [one, two] = [Buffer.from('begins as the other one'), Buffer.from('begins as the other two')];
const known = new Map([one, two].map((bytes) => [digestOf(bytes), bytes]));

describe('uploads', () => {
  test('belong to the blob whose bytes they are, finished or not', () => {
    const uploads = new Uploads(known);
    uploads.add('cut off', one.subarray(0, 10));
    uploads.add('cut off', one.subarray(10, 21));
    uploads.add('whole', one);
    uploads.finished('whole', digestOf(one));
    expect(uploads.received()).toEqual(new Map([[digestOf(one), 21 + one.length]]));
    expect(doneTwice(uploads.received(), known)).toEqual(new Map([[digestOf(one), 21]]));
  });

  test('count for every blob that they may be of', () => {
    const uploads = new Uploads(known);
    uploads.add('cut off', one.subarray(0, 5));
    expect([...uploads.received().values()]).toEqual([5, 5]);
  });

  test('of no known blob are strange', () => {
    const uploads = new Uploads(known);
    uploads.add('a', Buffer.from('something else'));
    uploads.add('b', Buffer.concat([one, Buffer.from('!')]));
    expect(uploads.strange()).toBe(14 + one.length + 1);
    expect(uploads.received().size).toBe(0);
  });
});

test('what is less than the whole is not done twice, nor is what nobody knows the size of', () => {
  const transferred = new Map([
    [digestOf(one), 3],
    [digestOf(Buffer.from('unknown')), 1000],
  ]);
  expect([...doneTwice(transferred, known).values()]).toEqual([0, 0]);
});

test('bytes between a server and its clients are those sent and not acknowledged, and those not read', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1388 00000000:0000 0A 00000000:00000005 00:00000000 00000000     0        0 1 1 0
   1: 0100007F:1388 0100007F:C350 01 00000010:00000000 00:00000000 00000000     0        0 1 1 0
   2: 0100007F:C350 0100007F:1388 01 00000000:00000100 00:00000000 00000000     0        0 1 1 0
   3: 0100007F:C351 0100007F:1389 01 00000000:00000200 00:00000000 00000000     0        0 1 1 0
`;
  expect(queuesFrom(table, 5000).get(50_000)).toBe(0x110);
  expect(queuesFrom(table, 5000).get(50_001)).toBeUndefined();
});
