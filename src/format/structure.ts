/**
 * What the grammar's tree says of a file's elements, whatever its statements are: where each begins, and which braces and
 * parentheses belong together. A construct that the language learns needs no line here: its node has a place.
 */
import { LBrace, LParen } from '../../grammar/tokens.ts';
import { columns } from '../diagnostics/columns.ts';
import type { Element, Elements, Word } from './elements.ts';
import { closers, joined, openers, wordLimit } from './spacing.ts';

/** The statements of a block that no blank line parts: what comes after their first words stands in one column. */
export interface Section {
  /** Columns of the longest first word. */
  width: number;
}

export interface Role {
  /** It is the first word of a declaration, of a statement, or of a property in parentheses. */
  readonly begins: boolean;
  /** It stands in the middle of a statement. */
  readonly inside: boolean;
  /** For the first word of a statement whose second stands in the section's column. */
  readonly section: Section | undefined;
  /** For a brace or a parenthesis that opens: the index of the one that closes it. */
  closing: number;
}

interface Frame {
  /** The index of the word that opened it. */
  readonly opener: number;
  readonly kind: 'file' | 'block' | 'parentheses';
  /** Where the statement that is being read ends. */
  end: number;
  /** It is of words that no node of the tree tells of: then its lines are taken for what they are. */
  loose: boolean;
  section: Section | undefined;
}

/** A role for each element, in their order. Linear. */
export function structureOf({ list, ends }: Elements): readonly Role[] {
  const roles: Role[] = [];
  const frames: Frame[] = [];
  let frame: Frame = { opener: -1, kind: 'file', end: -1, loose: false, section: undefined };
  list.forEach((element, index) => {
    const inside = element.start < frame.end;
    if (element.breaks > 1 && !inside) frame.section = undefined;
    if (element.kind !== 'word') {
      roles.push({ begins: false, inside, section: undefined, closing: -1 });
      return;
    }
    if (closers.has(element.type) && frames.length > 0) {
      const { opener } = frame;
      const opening = roles[opener];
      if (opening !== undefined) opening.closing = index;
      frame = frames.pop() ?? frame;
      roles.push({ begins: false, inside: true, section: undefined, closing: -1 });
      return;
    }
    const begins = !inside && beginsItem(element, frame, ends);
    const section = begins && frame.kind === 'block' ? sectionOf(element, list[index + 1], frame) : undefined;
    roles.push({ begins, inside, section, closing: -1 });
    if (openers.has(element.type)) {
      frames.push(frame);
      const kind = element.type === LParen ? 'parentheses' : 'block';
      frame = { opener: index, kind, end: -1, loose: false, section: undefined };
    }
  });
  return roles;
}

/** Whether a word that stands outside every statement begins one. In parentheses a word may also be a mere member. */
function beginsItem({ start, image, breaks }: Word, frame: Frame, ends: Elements['ends']): boolean {
  const end = ends.get(start);
  const goesOn = frame.loose && breaks === 0;
  frame.end = end ?? start + image.length;
  frame.loose = end === undefined;
  return end !== undefined || (frame.kind !== 'parentheses' && !goesOn);
}

function sectionOf(first: Word, second: Element | undefined, frame: Frame): Section | undefined {
  if (second?.kind !== 'word' || second.breaks > 0 || second.start >= frame.end) return undefined;
  if (first.type === LParen || second.type === LBrace || joined(first, second)) return undefined;
  const width = columns(first.image);
  if (width > wordLimit) return undefined;
  frame.section ??= { width: 0 };
  frame.section.width = Math.max(frame.section.width, width);
  return frame.section;
}
