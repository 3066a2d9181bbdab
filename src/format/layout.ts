/** Where each word and each comment goes. The rules are told in `grammar/README.md`. */
import { LBrace } from '../../grammar/tokens.ts';
import { columns } from '../diagnostics/columns.ts';
import type { Comment, Element, Elements, Word } from './elements.ts';
import { between, closers, continuation, joined, lineLimit, openers, step } from './spacing.ts';
import { type Role, structureOf } from './structure.ts';

/** A line, or a block that stays as it is. */
export interface Line {
  readonly indent: number;
  text: string;
  /** At its end; without a text it stands below the one above. */
  comment: string;
  /** A blank line stands above it. */
  readonly blank: boolean;
  /** It begins where the line before it ends. */
  readonly joins: boolean;
  readonly kept: boolean;
  /** A declaration begins with it. */
  readonly declares: boolean;
  /** Where the block began that it is of. */
  readonly block: number;
}

/** An open brace or parenthesis, or the file. `flat`: a block that stands on one line. */
interface Frame {
  readonly kind: 'file' | 'block' | 'flat' | 'parentheses';
  /** Of the lines in it. */
  readonly indent: number;
  /** Of what closes it. */
  readonly base: number;
  /** Something stands in it already. */
  started: boolean;
}

/** The lines of a file. Linear in its elements. */
export function linesOf(elements: Elements): readonly Line[] {
  return new Layout(elements).lines();
}

class Layout {
  private readonly list: readonly Element[];
  private readonly roles: readonly Role[];
  private readonly done: Line[] = [];
  private readonly outer: Frame[] = [];
  private frame: Frame = { kind: 'file', indent: 0, base: 0, started: false };
  /** What the first word of a statement leaves free up to its section's column. */
  private padding = 0;

  constructor(elements: Elements) {
    this.list = elements.list;
    this.roles = structureOf(elements);
  }

  lines(): readonly Line[] {
    this.list.forEach((element, index) => {
      const role = this.roles[index] as Role;
      if (element.kind === 'comment') this.comment(element, role);
      else if (element.kind === 'word') this.word(element, role, index);
      else this.keep(element);
    });
    return this.done;
  }

  /** Begins a line. `blank`: a blank line may stand above it, if one stood there. */
  private begin(indent: number, { breaks, block }: Element, blank: boolean, how: Partial<Line> = {}): Line {
    const { text = '', comment = '', kept = false, joins = false, declares = false } = how;
    const line = { indent, text, comment, kept, joins, declares, block, blank: false };
    line.blank = blank && breaks > 1 && this.frame.started;
    this.frame.started = true;
    this.padding = 0;
    this.done.push(line);
    return line;
  }

  private keep(element: Element): void {
    const joins = element.breaks === 0 && this.done.length > 0;
    this.begin(0, element, true, { kept: true, joins, text: element.image });
  }

  private comment(comment: Comment, { inside }: Role): void {
    const { image, trailing, continues } = comment;
    const above = this.done.at(-1);
    if (trailing && above !== undefined) {
      if (above.kept) this.begin(0, comment, false, { joins: true, comment: image });
      else above.comment = image;
      return;
    }
    const { indent } = this.frame;
    if (inside) this.begin(indent + continuation, comment, false, { text: image });
    else if (continues && above !== undefined && widthOf(above) <= lineLimit) {
      this.begin(0, comment, false, { comment: image });
    } else this.begin(indent, comment, true, { text: image });
  }

  private word(word: Word, role: Role, index: number): void {
    const before = this.list[index - 1];
    // Nothing can stand behind a comment.
    const follows = before?.kind === 'word' ? before : undefined;
    if (closers.has(word.type)) this.close(word, follows);
    else if (role.begins) this.start(word, follows);
    else this.goOn(word, role, follows);
    if (role.section !== undefined && this.frame.kind === 'block') {
      this.padding = role.section.width - columns(word.image);
    }
    if (openers.has(word.type)) this.open(word, role, index);
  }

  private append(word: Word, follows: Word, begins = false): void {
    const line = this.done.at(-1) as Line;
    const space = between(follows, word, begins);
    line.text += (space === '' ? '' : space + ' '.repeat(this.padding)) + word.image;
    this.padding = 0;
    this.frame.started = true;
  }

  private start(word: Word, follows: Word | undefined): void {
    const { kind, indent } = this.frame;
    const stays = kind === 'flat' || (kind === 'parentheses' && word.breaks === 0);
    if (stays && follows !== undefined) this.append(word, follows, true);
    else {
      const declares = kind === 'file';
      this.begin(indent, word, kind !== 'parentheses', { text: word.image, declares });
    }
  }

  private goOn(word: Word, { inside }: Role, follows: Word | undefined): void {
    if (follows !== undefined && (word.breaks === 0 || joined(follows, word))) this.append(word, follows);
    else {
      const more = inside && word.type !== LBrace ? continuation : 0;
      this.begin(this.frame.indent + more, word, false, { text: word.image });
    }
  }

  private close(word: Word, follows: Word | undefined): void {
    const { kind, base, started } = this.frame;
    this.frame = this.outer.pop() ?? this.frame;
    const breaks = kind === 'block' ? started : kind === 'parentheses' && word.breaks > 0;
    if (follows !== undefined && !breaks) this.append(word, follows);
    else this.begin(base, word, false, { text: word.image });
  }

  private open(word: Word, { closing }: Role, index: number): void {
    const { indent } = this.frame;
    const line = this.done.at(-1) as Line;
    this.outer.push(this.frame);
    if (word.type !== LBrace) {
      this.frame = { kind: 'parentheses', indent: line.indent + step, base: line.indent, started: false };
    } else {
      const kind = this.frame.kind === 'flat' || this.fits(line, index, closing) ? 'flat' : 'block';
      this.frame = { kind, indent: indent + step, base: indent, started: false };
    }
  }

  /** Whether a block stood on one line, and can stand on this one. */
  private fits(line: Line, opening: number, closing: number): boolean {
    let width = widthOf(line);
    for (let index = opening + 1; index <= closing; index++) {
      const [before, element] = [this.list[index - 1], this.list[index]];
      if (before?.kind !== 'word' || element?.kind !== 'word' || element.breaks > 0) return false;
      const begins = this.roles[index]?.begins ?? false;
      width += between(before, element, begins).length + columns(element.image);
      if (width > lineLimit) return false;
    }
    return true;
  }
}

/** Columns of a line without the comment at its end. */
export function widthOf({ indent, text }: Line): number {
  return indent + columns(text);
}
