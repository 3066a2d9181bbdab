import type { Place } from '../diagnostics/diagnostic.ts';

/**
 * Reads JSON text for its places: where it stops being JSON, where a field is given twice, and where a value stands.
 * Values themselves come from `JSON.parse`. Nothing here backtracks, and recursion stops at `maxDepth`, so that a hostile
 * text costs time linear in its length and little stack.
 */

type Span = Place['span'];

/** A value's place in a document: field names and array indexes from the root. */
export type Path = readonly (string | number)[];

export interface JsonProblem {
  readonly kind: 'syntax' | 'depth' | 'duplicate' | 'values';
  readonly span: Span;
  /** What is wrong, in words; for `duplicate` the field's name. */
  readonly words: string;
}

export interface Located {
  /** The field's name with its quotes; the value's own span in an array and at the root. */
  readonly name: Span;
  readonly value: Span;
  /** Neither object nor list. */
  readonly scalar: boolean;
}

/** JSON deeper than this is refused; the deepest document of vfioplan has 8 levels. */
const maxDepth = 64;

/** A text of many small values costs far more memory than its length; the largest machines have a tenth of these. */
const maxValues = 2_000_000;

/** The first problem of the text, or null: then `JSON.parse` accepts it, and no object has a field twice. */
export function problemOf(text: string): JsonProblem | null {
  return new Scanner(text, null).run();
}

/** Where the values at `paths` stand in a text without problems; a path that does not exist gives undefined. */
export function locate(text: string, paths: readonly Path[]): readonly (Located | undefined)[] {
  const root: Wanted = { below: new Map() };
  const nodes = paths.map((path) => {
    let node = root;
    for (const part of path) {
      let next = node.below.get(part);
      if (next === undefined) {
        next = { below: new Map() };
        node.below.set(part, next);
      }
      node = next;
    }
    return node;
  });
  new Scanner(text, root).run();
  return nodes.map((node) => node.found);
}

/** The paths to find, as a tree, so that one pass over the text finds all of them. */
interface Wanted {
  readonly below: Map<string | number, Wanted>;
  found?: Located;
}

interface Frame {
  /** Fields seen so far; null in an array. */
  readonly fields: Set<string> | null;
  index: number;
  /** What is wanted at this container, if anything. */
  readonly wanted: Wanted | null;
  readonly start: number;
  readonly name: Span | null;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
const special = /[\\\u0000-\u001f]/;

class Scanner {
  private readonly text: string;
  private readonly frames: Frame[] = [];
  private at = 0;
  private values = 0;
  private problem: JsonProblem | null = null;
  /** What is wanted of the value that comes next, and the field's name before it. */
  private wanted: Wanted | null;
  private name: Span | null = null;

  constructor(text: string, wanted: Wanted | null) {
    this.text = text;
    this.wanted = wanted;
  }

  run(): JsonProblem | null {
    this.space();
    let more = this.value();
    while (more && this.problem === null) {
      this.space();
      const frame = this.frames.at(-1);
      if (frame === undefined) {
        if (this.at < this.text.length) this.fail('the document ends here, but more text follows');
        break;
      }
      more = this.after(frame);
    }
    return this.problem;
  }

  /** Between two members of a container. */
  private after(frame: Frame): boolean {
    const char = this.text[this.at];
    const end = frame.fields === null ? ']' : '}';
    if (char === end) return this.close(frame);
    if (char !== ',') return this.fail(`\`,\` or \`${end}\` must follow here, not ${this.seen()}`);
    this.at += 1;
    this.space();
    return frame.fields === null ? this.item(frame) : this.field(frame, frame.fields);
  }

  private value(): boolean {
    const char = this.text[this.at];
    this.values += 1;
    if (this.values > maxValues) {
      const span = { start: this.at, end: this.at };
      this.problem = { kind: 'values', span, words: `more than ${maxValues} values` };
      return false;
    }
    if (char === '{' || char === '[') return this.open(char);
    const start = this.at;
    const read =
      char === '"'
        ? this.string()
        : char === '-' || (char !== undefined && char >= '0' && char <= '9')
          ? this.number()
          : this.word();
    if (read) this.note(this.wanted, this.name, start, true);
    return read;
  }

  private open(char: '{' | '['): boolean {
    if (this.frames.length >= maxDepth) {
      this.problem = {
        kind: 'depth',
        span: { start: this.at, end: this.at + 1 },
        words: `more than ${maxDepth} levels`,
      };
      return false;
    }
    const frame: Frame = {
      fields: char === '{' ? new Set() : null,
      index: -1,
      wanted: this.wanted,
      start: this.at,
      name: this.name,
    };
    this.frames.push(frame);
    this.at += 1;
    this.space();
    if (this.text[this.at] === (frame.fields === null ? ']' : '}')) return this.close(frame);
    return frame.fields === null ? this.item(frame) : this.field(frame, frame.fields);
  }

  private close(frame: Frame): boolean {
    this.frames.pop();
    this.at += 1;
    this.note(frame.wanted, frame.name, frame.start, false);
    return true;
  }

  private item(frame: Frame): boolean {
    frame.index += 1;
    this.wanted = frame.wanted?.below.get(frame.index) ?? null;
    this.name = null;
    return this.value();
  }

  private field(frame: Frame, fields: Set<string>): boolean {
    if (this.text.charCodeAt(this.at) !== QUOTE)
      return this.fail(`a field's name in double quotes must follow here, not ${this.seen()}`);
    const start = this.at;
    if (!this.string()) return false;
    const span = { start, end: this.at };
    const raw = this.text.slice(start, this.at);
    const name: string = raw.includes('\\') ? JSON.parse(raw) : raw.slice(1, -1);
    if (fields.has(name)) {
      this.problem = { kind: 'duplicate', span, words: name };
      return false;
    }
    fields.add(name);
    this.space();
    if (this.text[this.at] !== ':') return this.fail(`\`:\` must follow here, not ${this.seen()}`);
    this.at += 1;
    this.space();
    this.wanted = frame.wanted?.below.get(name) ?? null;
    this.name = span;
    return this.value();
  }

  private string(): boolean {
    const { text } = this;
    const start = this.at;
    const quote = text.indexOf('"', start + 1);
    // Nearly every string has nothing to look at between its quotes, and finding that out needs no loop of ours.
    if (quote >= 0 && quote - start <= 256 && !special.test(text.slice(start + 1, quote))) {
      this.at = quote + 1;
      return true;
    }
    for (this.at += 1; this.at < text.length; this.at += 1) {
      const code = text.charCodeAt(this.at);
      if (code === QUOTE) {
        this.at += 1;
        return true;
      }
      if (code < 0x20) return this.fail('a control character must be escaped inside a string');
      if (code === BACKSLASH && !this.escape()) return false;
    }
    return this.fail('this string has no closing quote', { start, end: start + 1 });
  }

  private escape(): boolean {
    const start = this.at;
    this.at += 1;
    const char = this.text[this.at];
    if (char !== undefined && '"\\/bfnrt'.includes(char)) return true;
    if (char === 'u' && /^[0-9a-fA-F]{4}$/.test(this.text.slice(this.at + 1, this.at + 5))) {
      this.at += 4;
      return true;
    }
    return this.fail('this is not an escape that JSON knows', { start, end: this.at + 1 });
  }

  private number(): boolean {
    const start = this.at;
    if (this.text[this.at] === '-') this.at += 1;
    const whole = this.at;
    const bad = () =>
      this.fail('this is not a number as JSON writes it', { start, end: Math.max(this.at, start + 1) });
    if (this.digits() === 0) return bad();
    if (this.text[whole] === '0' && this.at > whole + 1) return bad();
    if (this.text[this.at] === '.') {
      this.at += 1;
      if (this.digits() === 0) return bad();
    }
    if (this.text[this.at] === 'e' || this.text[this.at] === 'E') {
      this.at += 1;
      if (this.text[this.at] === '+' || this.text[this.at] === '-') this.at += 1;
      if (this.digits() === 0) return bad();
    }
    return true;
  }

  private digits(): number {
    const start = this.at;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (!(code >= 0x30 && code <= 0x39)) return this.at - start;
      this.at += 1;
    }
  }

  private word(): boolean {
    for (const word of ['true', 'false', 'null'])
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return true;
      }
    return this.fail(`a value must follow here, not ${this.seen()}`);
  }

  private space(): void {
    const { text } = this;
    let { at } = this;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
      at += 1;
    }
    this.at = at;
  }

  private seen(): string {
    const code = this.text.codePointAt(this.at);
    if (code === undefined) return 'the end of the text';
    const printable = code > 0x20 && code !== 0x7f && code < 0x80 && code !== 0x60;
    return printable
      ? `\`${String.fromCodePoint(code)}\``
      : `the character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  }

  private note(wanted: Wanted | null, name: Span | null, start: number, scalar: boolean): void {
    if (wanted === null) return;
    const value = { start, end: this.at };
    wanted.found = { name: name ?? value, value, scalar };
  }

  private fail(words: string, span: Span = { start: this.at, end: this.at + 1 }): false {
    const { length } = this.text;
    const [start, end] = [Math.min(span.start, length), Math.min(span.end, length)];
    this.problem = { kind: 'syntax', words, span: { start, end } };
    return false;
  }
}
