// Work that holds the thread for long: parsing a large document, and checking its shape. Nothing else runs meanwhile, and no
// handler of a signal either; so whoever has such handlers takes them away for that time.

type Around = <T>(work: () => T) => T;

let around: Around = (work) => work();

/** What is put around all such work; for the process alone, once. */
export function onThreadHeld(wanted: Around): void {
  around = wanted;
}

/** Runs work that may take longer than a person waits after Ctrl-C. */
export function holdThread<T>(work: () => T): T {
  return around(work);
}
