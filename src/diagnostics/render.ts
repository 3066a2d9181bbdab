/**
 * Diagnostics as a person reads them in a terminal: what, where with carets, why, what the kernel would say, what to do.
 * Text in, text out: colours come as functions, so that this knows no terminal.
 */
import { type LineIndex, lineIndex, positionAt } from '../../grammar/lines.ts';
import { columns } from './columns.ts';
import type { Diagnostic, Place, Severity } from './diagnostic.ts';

/** How the parts look; each takes and gives text. */
export interface Palette {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly info: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

const plain = (text: string) => text;
const colourless: Palette = { error: plain, warning: plain, info: plain, strong: plain, faint: plain };

interface RenderOptions {
  readonly palette?: Palette;
  /** Columns that a tab stands for; terminals use 8, this default keeps excerpts narrow. */
  readonly tabWidth?: number;
  /** Columns of source that are shown of a longer line. */
  readonly width?: number;
}

/** `sources`: file names to texts, as given to the reader. A place in an unknown file is named without an excerpt. */
export function render(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  options: RenderOptions = {},
): string {
  const { palette = colourless, tabWidth = 4, width = 100 } = options;
  const excerpts = new Excerpts(sources, tabWidth, width);
  return diagnostics.map((diagnostic) => renderOne(diagnostic, excerpts, palette)).join('\n');
}

function renderOne(diagnostic: Diagnostic, excerpts: Excerpts, palette: Palette): string {
  const { code, severity, place, related, causes, cures, kernel, fixes } = diagnostic;
  const message = harmless(diagnostic.message);
  const paint = palette[severity];
  const lines = [`${paint(`${severity}[${code}]`)}${palette.strong(`: ${message}`)}`];
  lines.push(...excerpts.at(place, marksOf[severity], paint, palette));
  for (const other of related) {
    lines.push(`${palette.info('note')}: ${harmless(other.message)}`);
    lines.push(...excerpts.at(other.place, '-', palette.info, palette));
  }
  const say = (word: string, text: string) =>
    lines.push(`  ${palette.faint('=')} ${palette.strong(word)}: ${harmless(text)}`);
  for (const cause of causes) say('because', cause);
  if (kernel !== undefined) {
    say('kernel', `${kernel.step} fails with ${kernel.errno}: ${kernel.guard}`);
    lines.push(`            ${palette.faint(harmless(kernel.citation))}`);
  }
  for (const cure of cures) say('help', cure);
  for (const fix of fixes) say('fix', fix.title);
  return `${lines.join('\n')}\n`;
}

const marksOf: Readonly<Record<Severity, string>> = { error: '^', warning: '^', info: '-' };

class Excerpts {
  private readonly indexes = new Map<string, LineIndex>();
  private readonly sources: ReadonlyMap<string, string>;
  private readonly tabWidth: number;
  private readonly width: number;

  constructor(sources: ReadonlyMap<string, string>, tabWidth: number, width: number) {
    this.sources = sources;
    this.tabWidth = tabWidth;
    this.width = width;
  }

  at({ file, span }: Place, mark: string, paint: (text: string) => string, palette: Palette): string[] {
    const text = this.sources.get(file);
    if (text === undefined || text === '') return [`${palette.faint('  -->')} ${harmless(file)}`];
    const lines = this.linesOf(file, text);
    const start = Math.min(span.start, text.length);
    const { line, column } = positionAt(lines, start);
    const source = text.slice(lines[line - 1], lines[line] ?? text.length).replace(/[\r\n]+$/, '');
    const end = Math.min(column - 1 + Math.max(1, span.end - start), Math.max(source.length, column));
    const number = String(line);
    const gutter = ' '.repeat(number.length);
    const { shown, before, marked } = this.cut(source, column - 1, end);
    return [
      `${gutter}${palette.faint('-->')} ${harmless(file)}:${line}:${column}`,
      `${gutter} ${palette.faint('|')}`,
      `${palette.faint(`${number} |`)} ${shown}`,
      `${gutter} ${palette.faint('|')} ${' '.repeat(before)}${paint(mark.repeat(Math.max(1, marked)))}`,
    ];
  }

  private linesOf(file: string, text: string): LineIndex {
    let lines = this.indexes.get(file);
    if (lines === undefined) {
      lines = lineIndex(text);
      this.indexes.set(file, lines);
    }
    return lines;
  }

  /** What is shown of a line, and how many columns lie before and under the mark. */
  private cut(source: string, start: number, end: number): { shown: string; before: number; marked: number } {
    let from = 0;
    if (source.length > this.width && start > this.width / 2) from = start - Math.floor(this.width / 2);
    // Not in the middle of a surrogate pair.
    if (/[\udc00-\udfff]/.test(source.charAt(from))) from += 1;
    const to = Math.min(source.length, from + this.width);
    const lead = from > 0 ? '…' : '';
    const before = lead + source.slice(from, start);
    const marked = source.slice(start, Math.min(end, to));
    const shown = this.visible(lead + source.slice(from, to)) + (to < source.length ? '…' : '');
    return {
      shown,
      before: columns(this.visible(before)),
      marked: columns(this.visible(before + marked)) - columns(this.visible(before)),
    };
  }

  /** Tabs to spaces; characters that cannot be seen, or would rearrange the line, to a sign each. */
  private visible(text: string): string {
    let column = 0;
    return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|[^\t\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, (part) => {
      const written =
        part === '\t'
          ? ' '.repeat(this.tabWidth - (column % this.tabWidth))
          : control.test(part)
            ? '�'
            : part;
      column += columns(written);
      return written;
    });
  }
}

/** Names come from machines and files of others: none of them may command the terminal, or forge a line. */
function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '�');
}

const control = /^[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]$/u;
