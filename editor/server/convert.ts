/** What the service answers, in the words of the protocol. */
import {
  type CodeAction,
  CodeActionKind,
  type CodeLens,
  type CompletionItem,
  CompletionItemKind,
  DiagnosticSeverity,
  type DocumentSymbol,
  type FoldingRange,
  FoldingRangeKind,
  type InlayHint,
  type Location,
  type Diagnostic as Shown,
  SymbolKind,
  type WorkspaceEdit,
} from 'vscode-languageserver';
import type { Diagnostic, Edit, Place } from '../../src/diagnostics/diagnostic.ts';
import type { Action } from '../service/actions.ts';
import type { Colour } from '../service/colours.ts';
import { colourTypes } from '../service/colours.ts';
import type { Offer } from '../service/completion.ts';
import { explanationOf } from '../service/explanation.ts';
import type { Hint } from '../service/hints.ts';
import type { Lens } from '../service/lenses.ts';
import type { Fold, Outlined } from '../service/outline.ts';
import type { Positions } from './positions.ts';

/** Where places of files are, for a client. */
export interface Where {
  uriOf(file: string): string;
  positionsIn(file: string): Positions;
}

const severities = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

export function locationOf({ file, span }: Place, where: Where): Location {
  return { uri: where.uriOf(file), range: where.positionsIn(file).range(span) };
}

export function shown(diagnostic: Diagnostic, where: Where): Shown {
  const { place, severity, code, related } = diagnostic;
  const range = where.positionsIn(place.file).range(place.span);
  return {
    range,
    severity: severities[severity],
    code,
    source: 'vfioplan',
    message: explanationOf(diagnostic).join('\n'),
    relatedInformation: related.map(({ place, message }) => ({
      location: locationOf(place, where),
      message,
    })),
  };
}

export function editOf(edits: readonly Edit[], where: Where): WorkspaceEdit {
  const changes: Record<string, { range: Location['range']; newText: string }[]> = {};
  for (const { text, ...place } of edits) {
    const { uri, range } = locationOf(place, where);
    const others = changes[uri] ?? [];
    changes[uri] = others;
    others.push({ range, newText: text });
  }
  return { changes };
}

export function actionOf({ fix, diagnostic, preferred }: Action, where: Where): CodeAction {
  return {
    title: fix.title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [shown(diagnostic, where)],
    isPreferred: preferred,
    edit: editOf(fix.edits, where),
  };
}

const kinds = {
  keyword: CompletionItemKind.Keyword,
  name: CompletionItemKind.Variable,
  value: CompletionItemKind.Value,
};

/** `index`: its place among the offers, which the client keeps. */
export function itemOf(
  { label, kind, detail, text, span }: Offer,
  index: number,
  positions: Positions,
): CompletionItem {
  return {
    label,
    kind: kinds[kind],
    detail,
    // Clients compare what is typed with this, and what is typed may begin with a quote.
    filterText: text,
    sortText: String(index).padStart(4, '0'),
    textEdit: { range: positions.range(span), newText: text },
  };
}

const symbolKinds = {
  host: SymbolKind.Namespace,
  device: SymbolKind.Variable,
  policy: SymbolKind.Class,
  test: SymbolKind.Event,
  import: SymbolKind.File,
  statement: SymbolKind.Property,
};

export function symbolOf(
  { name, kind, detail, span, selection, children }: Outlined,
  positions: Positions,
): DocumentSymbol {
  return {
    // The protocol wants a name.
    name: name === '' ? '…' : name,
    detail,
    kind: symbolKinds[kind],
    range: positions.range(span),
    selectionRange: positions.range(selection),
    children: children.map((child) => symbolOf(child, positions)),
  };
}

export function foldingOf({ firstLine, lastLine, kind }: Fold): FoldingRange {
  const range = { startLine: firstLine - 1, endLine: lastLine - 1 };
  if (kind === 'block') return range;
  return { ...range, kind: kind === 'comment' ? FoldingRangeKind.Comment : FoldingRangeKind.Imports };
}

export function hintOf({ offset, label }: Hint, positions: Positions): InlayHint {
  return { position: positions.position(offset), label, paddingLeft: true };
}

/** The command is the client's: a server that runs programs would do so for whoever opens a file. */
export function lensOf({ span, test }: Lens, uri: string, positions: Positions): CodeLens {
  return {
    range: positions.range(span),
    command: { title: 'run test', command: 'vfioplan.test', arguments: [uri, test] },
  };
}

/** Five numbers each: lines and units from the one before, length, type, modifiers. None goes over the end of a line. */
export function tokensOf(colours: readonly Colour[], positions: Positions): number[] {
  const data: number[] = [];
  let [line, character] = [0, 0];
  for (const { span, type, declares } of colours) {
    const at = positions.position(span.start);
    const unit = at.line === line ? at.character - character : at.character;
    data.push(at.line - line, unit, span.end - span.start, colourTypes.indexOf(type), Number(declares));
    ({ line, character } = at);
  }
  return data;
}
