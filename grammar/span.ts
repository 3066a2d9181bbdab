/** A half-open range of UTF-16 offsets into one source text: `start` inclusive, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A place a person can find: 1-based line and column, in UTF-16 units as editors count them. */
export interface Position {
  readonly line: number;
  readonly column: number;
}
