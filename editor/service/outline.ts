/** The shape of a file: its declarations with their statements, and what can be folded away. */
import { lineIndex, positionAt } from '../../grammar/lines.ts';
import type { Span } from '../../grammar/span.ts';
import type { Declaration, PlacedDeclaration } from '../../src/syntax/ast.ts';
import type { Reading } from '../../src/syntax/read.ts';

export interface Outlined {
  readonly name: string;
  readonly kind: 'host' | 'device' | 'policy' | 'test' | 'import' | 'statement';
  readonly detail: string;
  /** All of it. */
  readonly span: Span;
  /** Its name. */
  readonly selection: Span;
  readonly children: readonly Outlined[];
}

export function outlineOf({ document, text }: Reading): readonly Outlined[] {
  return document.declarations.flatMap((placed) => outlined(placed, text));
}

function outlined({ base, node }: PlacedDeclaration, text: string): readonly Outlined[] {
  const at = ({ start, end }: Span): Span => ({ start: base + start, end: base + end });
  const span = at(node.span);
  switch (node.kind) {
    case 'hole':
      return [];
    case 'import':
      return [
        {
          name: node.path.text,
          kind: 'import',
          detail: '',
          span,
          selection: at(node.path.span),
          children: [],
        },
      ];
    default: {
      const { name, kind } = node;
      const detail = 'on' in node && node.on !== undefined ? `on ${node.on.text}` : '';
      const selection = at(name.span);
      return [{ name: name.text, kind, detail, span, selection, children: statementsOf(node, at, text) }];
    }
  }
}

function statementsOf(
  node: Exclude<Declaration, { kind: 'hole' | 'import' }>,
  at: (span: Span) => Span,
  text: string,
): readonly Outlined[] {
  const parts = node.kind === 'device' ? [...node.selectors, ...node.except] : node.statements;
  return parts
    .filter(({ kind }) => kind !== 'hole')
    .map((part) => {
      const span = at(part.span);
      const name = firstLine(text.slice(span.start, span.end));
      return { name, kind: 'statement', detail: '', span, selection: span, children: [] };
    });
}

function firstLine(text: string): string {
  const [line = ''] = text.split(/[\r\n]/, 1);
  return line.replace(/\s+/g, ' ').slice(0, 80);
}

export interface Fold {
  /** From 1, both included. */
  readonly firstLine: number;
  readonly lastLine: number;
  readonly kind: 'block' | 'comment' | 'imports';
}

/** Declarations and blocks in them, broken ones too, runs of comments, and of imports. */
export function foldsOf({ blocks, document, text }: Reading): readonly Fold[] {
  const lines = lineIndex(text);
  const lineAt = (offset: number) => positionAt(lines, offset).line;
  const folds: Fold[] = [];
  const add = (start: number, end: number, kind: Fold['kind']) => {
    const [firstLine, lastLine] = [lineAt(start), lineAt(Math.max(start, end - 1))];
    if (lastLine > firstLine) folds.push({ firstLine, lastLine, kind });
  };
  for (const { start, block } of blocks) {
    for (const node of block.declarations) {
      if (node.kind === 'import') continue;
      add(start + node.start, start + node.end, 'block');
      for (const statement of node.kind === 'host' ? node.statements : [])
        if (statement.kind === 'noiommu') add(start + statement.start, start + statement.end, 'block');
    }
  }
  for (const { index, 0: run } of text.matchAll(/(?:^[ \t]*#[^\r\n]*(?:\r\n|\n|\r)?){2,}/gm))
    add(index, index + run.trimEnd().length, 'comment');
  const imports = document.declarations.filter(({ node }) => node.kind === 'import');
  const [first, last] = [imports[0], imports.at(-1)];
  if (first !== undefined && last !== undefined)
    add(first.base + first.node.span.start, last.base + last.node.span.end, 'imports');
  return folds.sort((a, b) => a.firstLine - b.firstLine);
}
