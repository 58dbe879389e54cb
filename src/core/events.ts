// What a library tells about its progress. Libraries report, the command line prints.

export type AirgapEvent =
  /** A phase begins: what it is for a person, and how many bytes it will move where that is known. */
  | { readonly type: 'phase'; readonly phase: string; readonly total?: number }
  /** More of the current phase is done. Sums never exceed the phase's total, and a retry never takes back. */
  | { readonly type: 'progress'; readonly bytes: number }
  /** One thing (an image, a file) is finished. */
  | { readonly type: 'done'; readonly what: string; readonly detail?: string }
  | { readonly type: 'warning'; readonly message: string }
  /** The work goes on without a by-product. */
  | { readonly type: 'missing'; readonly missing: Missing }
  /** A request is sent. The URL has no query, user or fragment. Its response, or failure, has the same number. */
  | { readonly type: 'request'; readonly id: number; readonly method: string; readonly url: string }
  | { readonly type: 'response'; readonly id: number; readonly status: number }
  | { readonly type: 'request-failed'; readonly id: number; readonly message: string }
  /** The same is tried again after so many milliseconds. */
  | { readonly type: 'retry'; readonly after: number; readonly message: string }
  /** A point where a crash must be survived; the kill tests stop the process at each of them. */
  | { readonly type: 'step'; readonly step: string };

/** A by-product that is not there, though the work is done: a receipt, a signature. */
export interface Missing {
  /** For people, in the middle of a sentence: `receipt in the registry`, `signature`. */
  readonly what: string;
  /** The image that it belongs to. */
  readonly of?: string;
  /** The reference, file or folder where it would be, or is looked for. */
  readonly where: string;
  readonly why: string;
  /** The way out. */
  readonly hint?: string;
}

export type Report = (event: AirgapEvent) => void;

/** Travels in every options object: cancellation and the way to report. */
export interface Activity {
  readonly signal?: AbortSignal | undefined;
  readonly report?: Report | undefined;
}
