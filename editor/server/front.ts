import type { CheckInput, Checking } from '../../src/check/checked.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';

/** The front door of the server: what it needs of the world outside, whichever that is. */
export interface Front {
  /** The name of the file that a URI means. */
  fileOf(uri: string): string;
  uriOf(file: string): string;
  /** Reads all that a policy needs: its imports, and the machines. `open`: texts as they are in the editor, by file. */
  load(file: string, open: ReadonlyMap<string, string>): Loaded;
  /** `YYYY-MM-DD` */
  today(): string;
}

export interface Loaded {
  /** The policy first. */
  readonly sources: CheckInput['sources'];
  readonly machines: CheckInput['machines'];
  /** Every text that was read, snapshots too: diagnostics point into them. */
  readonly texts: ReadonlyMap<string, string>;
  /** What could not be read. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was found, without what is missing only because it could not be read. */
  news(found: Checking): readonly Diagnostic[];
}
