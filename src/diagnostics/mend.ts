import type { Diagnostic, Edit, Fix } from './diagnostic.ts';

/** A fix that is to be made, and the diagnostic that carries it. */
export interface Mending {
  readonly diagnostic: Diagnostic;
  readonly fix: Fix;
}

/**
 * Of each diagnostic the first safe fix, as far as they can be made together: one whose edits meet those of a fix before
 * it, or leave `files`, is not made. Whether it still is one is seen when the text has been read again.
 */
export function together(
  diagnostics: readonly Diagnostic[],
  files: { has(file: string): boolean },
): readonly Mending[] {
  const taken: Edit[] = [];
  const made: Mending[] = [];
  for (const diagnostic of diagnostics) {
    const fix = diagnostic.fixes.find(({ safe }) => safe);
    if (fix === undefined || fix.edits.length === 0) continue;
    if (fix.edits.some((edit) => !files.has(edit.file) || taken.some((other) => meet(edit, other)))) continue;
    taken.push(...fix.edits);
    made.push({ diagnostic, fix });
  }
  return made;
}

/** Whether it matters which of two edits is made first. */
function meet(a: Edit, b: Edit): boolean {
  if (a.file !== b.file) return false;
  const empty = a.span.start === a.span.end || b.span.start === b.span.end;
  return empty
    ? a.span.start <= b.span.end && b.span.start <= a.span.end
    : a.span.start < b.span.end && b.span.start < a.span.end;
}

/** A text that is changed, and which of its characters were there before: what a diff has to know. */
export class ChangedText {
  readonly before: string;
  #text: string;
  /** Of each character its offset in `before`, or -1: it is new. */
  #origins: Int32Array;

  constructor(before: string) {
    this.before = before;
    this.#text = before;
    this.#origins = Int32Array.from({ length: before.length }, (_, offset) => offset);
  }

  get text(): string {
    return this.#text;
  }

  /** Makes edits of this text, none of which meets another. */
  make(edits: readonly Edit[]): void {
    const inOrder = [...edits].sort((a, b) => a.span.start - b.span.start);
    const parts: string[] = [];
    const origins: number[] = [];
    let at = 0;
    const keep = (end: number) => {
      parts.push(this.#text.slice(at, end));
      for (; at < end; at += 1) origins.push(this.#origins[at] ?? -1);
    };
    for (const { span, text } of inOrder) {
      keep(span.start);
      parts.push(text);
      for (let index = 0; index < text.length; index += 1) origins.push(-1);
      at = span.end;
    }
    keep(this.#text.length);
    this.#text = parts.join('');
    this.#origins = Int32Array.from(origins);
  }

  /** Whether the character of the text before, or of the text now, is one that stayed. */
  stayed(): { readonly before: (offset: number) => boolean; readonly after: (offset: number) => boolean } {
    const stayed = new Uint8Array(this.before.length);
    for (const origin of this.#origins) if (origin >= 0) stayed[origin] = 1;
    return {
      before: (offset) => stayed[offset] === 1,
      after: (offset) => (this.#origins[offset] ?? -1) >= 0,
    };
  }
}
