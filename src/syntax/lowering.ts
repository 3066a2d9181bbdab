import { endOf } from '../../grammar/lexer.ts';
import { isQuoted } from '../../grammar/parse.ts';
import type { Span } from '../../grammar/span.ts';
import { isMissing, type Token } from '../../grammar/tree.ts';
import { numberPattern } from '../../grammar/values.ts';
import type { Code } from '../diagnostics/codes.ts';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { replacement } from '../diagnostics/fixes.ts';
import { type Extra, type Holes, report } from '../diagnostics/report.ts';
import type { Hole, Word } from './ast.ts';
import { bidirectional, shown } from './hidden.ts';
import { nameInLetters, numberMeant, rewriting } from './meant.ts';

const plainName = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const hostPattern = /^[A-Za-z0-9_*][A-Za-z0-9_.*-]*$/;

/** One block on its way to its tree, whose spans count from the block, collecting what is wrong with its values. */
export class Lowering {
  readonly diagnostics: Diagnostic[] = [];
  private readonly file: string;
  private readonly base: number;
  private readonly own: string;

  /** `text`: the block's own, which begins at `base` of the file. */
  constructor(file: string, base: number, text: string) {
    this.file = file;
    this.base = base;
    this.own = text;
  }

  /** What is written there, but for its layout. */
  wordsOf({ start, end }: Span): string {
    return this.own.slice(start, end).replace(/\s+/g, ' ');
  }

  span({ start, end }: Span): Span {
    return { start, end };
  }

  hole(node: Span): Hole {
    return { kind: 'hole', span: this.span(node) };
  }

  spanOf(token: Token): Span {
    return { start: token.startOffset, end: endOf(token) };
  }

  place(token: Token): Place {
    return this.placeOf(this.spanOf(token));
  }

  placeOf({ start, end }: Span): Place {
    return { file: this.file, span: { start: start + this.base, end: end + this.base } };
  }

  report<C extends Code>(code: C, token: Token, holes: Holes<C>, extra?: Extra): undefined {
    this.diagnostics.push(report(code, this.place(token), holes, extra));
    return undefined;
  }

  /** A word as it is meant: without quotes, escapes resolved. */
  word(token: Token): Word {
    const text = isQuoted(token) ? this.unquoted(token) : token.image;
    return { text, span: this.spanOf(token) };
  }

  /** A word that passes `shape`'s test, or nothing and a diagnostic made by `wrong`. Nothing alone when it is missing. */
  shaped(token: Token, shape: Pick<RegExp, 'test'>, wrong: (text: string) => void): Word | undefined {
    if (isMissing(token)) return undefined;
    const word = this.word(token);
    if (shape.test(word.text)) return word;
    wrong(shown(word.text));
    return undefined;
  }

  /** A decimal number from `min` to `max`. */
  number(token: Token, max: number, min = 0): number | undefined {
    const test = (text: string) => numberPattern.test(text) && min <= Number(text) && Number(text) <= max;
    const word = this.shaped(token, { test }, (text) =>
      this.report(
        'VP1011',
        token,
        { text, min, max },
        {
          cures: [`write a decimal number from ${min} to ${max}`],
          fixes: rewriting(this.place(token), numberMeant(text, min, max)),
        },
      ),
    );
    return word && Number(word.text);
  }

  /** A text that must stand in quotes, because it may hold anything. */
  text(token: Token): Word | undefined {
    if (isMissing(token)) return undefined;
    if (isQuoted(token)) return this.word(token);
    const place = this.placeOf({ start: token.startOffset - this.rootBefore(token), end: endOf(token) });
    const text = this.own.slice(place.span.start - this.base, place.span.end - this.base);
    const quoted = `"${text}"`;
    const cures = [`write ${shown(quoted)}`];
    const fixes = [replacement(place, quoted, true)];
    this.diagnostics.push(report('VP1021', place, { text: shown(text) }, { cures, fixes }));
    return undefined;
  }

  /** The same where a person has to say something: blanks that a fix has put in are told. `what`: "`owner`". */
  telling(token: Token, what: string): Word | undefined {
    const word = this.text(token);
    if (word !== undefined && !/[\p{L}\p{N}]/u.test(word.text) && !bidirectional.test(token.image))
      this.report('VP1033', token, { what }, { cures: ['write it in words'] });
    return word;
  }

  /** What a path without quotes begins with, `/` or `./`, is no part of a word. */
  private rootBefore({ startOffset }: Token): number {
    return (
      /(?:^|\s)([.~]?\/)$/.exec(this.own.slice(Math.max(0, startOffset - 3), startOffset))?.[1]?.length ?? 0
    );
  }

  /** The name of something that is declared in a policy file. `what`: "a device's name". */
  name(token: Token, what: string): Word | undefined {
    return this.shaped(token, plainName, this.badName(token, what, plainName));
  }

  /** A host's name, or a pattern: `*` stands for any run of characters. */
  hostName(token: Token): Word | undefined {
    return this.shaped(token, hostPattern, this.badName(token, "a host's name", hostPattern));
  }

  /** A name that the machine gives, not the policy: anything that can be seen. */
  foreignName(token: Token, what: string): Word | undefined {
    return this.shaped(
      token,
      { test: (text) => text !== '' && text === shown(text) },
      this.badName(token, what),
    );
  }

  /** `pattern`: of a name that a policy gives. A machine's own names are what they are. */
  private badName(token: Token, what: string, pattern?: RegExp): (text: string) => void {
    const cures = [
      pattern === undefined
        ? 'write it as the machine shows it, in characters that can be seen'
        : 'a name has letters from a to z, digits, `-`, `_` and `.`, and begins with a letter or a digit',
    ];
    return (text) => {
      // Hidden characters are told of where the whole text is looked through.
      if (bidirectional.test(token.image)) return;
      const meant = pattern && nameInLetters(this.word(token).text, pattern);
      const fixes = rewriting(this.place(token), meant);
      this.report('VP1019', token, { text, what }, { cures, fixes });
    };
  }

  private unquoted(token: Token): string {
    const closed = token.image.length > 1 && token.image.endsWith('"');
    const content = token.image.slice(1, closed ? -1 : undefined);
    if (!content.includes('\\')) return content;
    return content.replace(/\\(u\{[0-9A-Fa-f]{1,6}\}|.)/gu, (written: string, what: string, at: number) => {
      if (what === '"' || what === '\\') return what;
      if (what === 'n') return '\n';
      if (what === 't') return '\t';
      const code = what.length > 1 ? Number.parseInt(what.slice(2, -1), 16) : Number.NaN;
      if (code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) return String.fromCodePoint(code);
      this.badEscape(token, written, at + 1);
      return '';
    });
  }

  private badEscape(token: Token, written: string, at: number): void {
    const start = token.startOffset + this.base + at;
    const place = { file: this.file, span: { start, end: start + written.length } };
    this.diagnostics.push(
      report(
        'VP1018',
        place,
        { text: shown(written) },
        {
          cures: [
            'a text knows `\\"`, `\\\\`, `\\n`, `\\t` and `\\u{41}`; a backslash itself is written `\\\\`',
          ],
          // An unfinished code point is a slip of another kind.
          fixes: [replacement(place, `\\${written}`, !written.startsWith('\\u'))],
        },
      ),
    );
  }
}
