import { describe, expect, test } from 'vitest';
import { BufferPool, copyInto, sharedBuffer, SMALL, type Loan } from '../../src/core/buffers.ts';

const kinds = { shared: sharedBuffer, plain: (size: number) => Buffer.alloc(size) };

test.each(Object.entries(kinds))('copies into %s memory what belongs there, and nothing beside it', (_, allocate) => {
  const buffer = allocate(8);
  copyInto(buffer, Uint8Array.of(1, 2, 3), 4);
  copyInto(buffer, new Uint8Array(0), 2);
  copyInto(buffer, Uint8Array.of(9), 7);
  expect([...buffer]).toEqual([0, 0, 0, 0, 1, 2, 3, 9]);
});

test('bytes for which there is no room are refused, not cut', () => {
  expect(() => copyInto(sharedBuffer(8), Uint8Array.of(1, 2, 3), 6)).toThrow(RangeError);
});

describe('a pool', () => {
  const SIZE = 4 * SMALL;
  const pool = (count: number) => new BufferPool({ size: SIZE, count });

  test('allocates a buffer when it is first needed, and the same ones serve for ever', async () => {
    const two = pool(2);
    expect(two.allocated).toBe(0);
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 10; i++) {
      const [one, other] = [await two.lend(SIZE), await two.lend(SMALL + 1)];
      memory.add(one.bytes.buffer).add(other.bytes.buffer);
      expect([one.bytes.byteLength, other.bytes.byteLength, two.lent]).toEqual([SIZE, SMALL + 1, 2]);
      one.giveBack();
      other.giveBack();
    }
    expect([memory.size, two.allocated, two.lent]).toEqual([2, 2, 0]);
  });

  test('that is empty is waited for in order, and never grows', async () => {
    const one = pool(1);
    const first = await one.lend(SIZE);
    const order: string[] = [];
    const waiting = ['a', 'b', 'c'].map(async (name) => {
      const loan = await one.lend(SIZE);
      order.push(name);
      loan.giveBack();
    });
    expect(one.tryLend(SIZE)).toBeUndefined();
    expect(order).toEqual([]);
    first.giveBack();
    await Promise.all(waiting);
    expect(order).toEqual(['a', 'b', 'c']);
    expect([one.allocated, one.lent]).toEqual([1, 0]);
  });

  test('whoever gives up while waiting leaves the line, and the next one gets the buffer', async () => {
    const one = pool(1);
    const first = await one.lend(SIZE);
    const [stop, reason] = [new AbortController(), new Error('enough')];
    const leaving = one.lend(SIZE, stop.signal);
    const staying = one.lend(SIZE);
    stop.abort(reason);
    await expect(leaving).rejects.toBe(reason);
    await expect(one.lend(SIZE, stop.signal)).rejects.toBe(reason);
    first.giveBack();
    (await staying).giveBack();
    expect(one.lent).toBe(0);
  });

  test('a buffer that is given back twice, or used afterwards, is a defect', async () => {
    const one = pool(1);
    const loan = await one.lend(SIZE);
    loan.giveBack();
    const next = await one.lend(SIZE);
    expect(() => loan.giveBack()).toThrow('given back twice');
    expect(() => loan.bytes).toThrow('after it was given back');
    expect(one.tryLend(SIZE)).toBeUndefined();
    next.giveBack();
  });

  test('what is small takes no buffer, and more than a buffer is refused', async () => {
    const one = pool(1);
    const small: Loan[] = [];
    for (let i = 0; i < 100; i++) small.push(await one.lend(SMALL));
    expect([one.allocated, small[0]?.bytes.byteLength]).toEqual([0, SMALL]);
    for (const loan of small) loan.giveBack();
    await expect(one.lend(SIZE + 1)).rejects.toThrow(RangeError);
    expect(one.lent).toBe(0);
  });
});
