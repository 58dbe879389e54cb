// "Did you mean": the one of some names that a mistyped name is nearest to.

/** Longer names are never compared: the comparison takes the product of the lengths. */
const LENGTH_LIMIT = 200;

/** Undefined where none is near. Upper and lower case count as the same. */
export function nearest(typed: string, names: Iterable<string>): string | undefined {
  if (typed.length > LENGTH_LIMIT) return undefined;
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of names) {
    const length = Math.min(typed.length, name.length);
    const allowed = Math.min(Math.ceil(length / 4), length - 1);
    const distance = name.length > LENGTH_LIMIT ? Infinity : distanceOf(typed.toLowerCase(), name.toLowerCase());
    if (distance <= allowed && distance < (best?.distance ?? Infinity)) best = { name, distance };
  }
  return best?.name;
}

/** As the rest of a sentence; empty where none is near. */
export function didYouMean(typed: string, names: Iterable<string>): string {
  const name = nearest(typed, names);
  return name === undefined ? '' : `; did you mean ${JSON.stringify(name)}?`;
}

/** Insertions, deletions, changes and swaps of neighbours that lead from one to the other. */
function distanceOf(a: string, b: string): number {
  let [twoAbove, above]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (above?.[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (twoAbove?.[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min(change, swap, (above?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    [twoAbove, above] = [above ?? [], row];
  }
  return above?.[b.length] ?? Infinity;
}
