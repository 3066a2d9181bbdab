import type { Span } from '../../grammar/span.ts';
import type { Code } from './codes.ts';

export type Severity = 'error' | 'warning' | 'info';

/** A range in a named source. `file` is the path the front door gave, or a name like `machine:edge-01`. */
export interface Place {
  readonly file: string;
  readonly span: Span;
}

/** One replacement of text; all edits of a fix apply together, to the text the diagnostic was made from. */
export interface Edit extends Place {
  readonly text: string;
}

export interface Fix {
  /** What the edits do, as an order: "remove `;`". */
  readonly title: string;
  /**
   * Nothing else can have been meant: the text then says what it says but for the mistake, and permits nothing more, so
   * `check --fix` makes it unasked. Any other is a suggestion, for a person to choose.
   */
  readonly safe: boolean;
  readonly edits: readonly Edit[];
}

/** What a real kernel would say to the step that is refused, and where that is written. */
export interface KernelAnswer {
  /** The step, as a person reads it: "bind 0000:03:00.0 to vfio-pci". */
  readonly step: string;
  /** The guard that refuses, in words: "no IOMMU group and no-IOMMU mode is off". */
  readonly guard: string;
  /** Errno name, for example `EINVAL`. */
  readonly errno: string;
  /** Kernel file, function and version: "drivers/vfio/group.c vfio_group_find_or_alloc (6.12)". */
  readonly citation: string;
}

/**
 * One thing that is wrong, said once. Made only by `report()`, so that the code, its severity and the holes of its
 * message are checked by the compiler. Messages start in lower case, carry no final stop, and put user text in
 * backticks.
 */
export interface Diagnostic {
  readonly code: Code;
  readonly severity: Severity;
  readonly message: string;
  readonly place: Place;
  readonly related: readonly { readonly place: Place; readonly message: string }[];
  /** Why it is so: facts of this machine, one sentence each. */
  readonly causes: readonly string[];
  /** What to do, one sentence each, the best first. */
  readonly cures: readonly string[];
  readonly kernel?: KernelAnswer;
  readonly fixes: readonly Fix[];
}
