/** Lines and UTF-16 units from 0, as the protocol counts them, for offsets of the service; and back. */
import type { Position, Range } from 'vscode-languageserver';
import { type LineIndex, lineIndex, positionAt } from '../../grammar/lines.ts';
import type { Span } from '../../grammar/span.ts';

export class Positions {
  private readonly lines: LineIndex;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.lines = lineIndex(text);
  }

  position(offset: number): Position {
    const { line, column } = positionAt(this.lines, Math.min(offset, this.text.length));
    return { line: line - 1, character: column - 1 };
  }

  range({ start, end }: Span): Range {
    return { start: this.position(start), end: this.position(end) };
  }

  /** A place beyond the end of its line is the end of the line. */
  offset({ line, character }: Position): number {
    const start = this.lines[line];
    if (start === undefined) return this.text.length;
    const next = this.lines[line + 1] ?? this.text.length + 1;
    let end = Math.min(start + character, next - 1);
    while (end > start && /[\r\n]/.test(this.text[end - 1] ?? '')) end -= 1;
    return Math.max(start, end);
  }

  span({ start, end }: Range): Span {
    return { start: this.offset(start), end: this.offset(end) };
  }
}
