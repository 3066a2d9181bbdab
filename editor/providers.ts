/** Monaco's questions about a policy, each answered by a function of the language service. */
import {
  type CancellationToken,
  Emitter,
  type editor,
  languages,
  Position,
  Range,
} from 'monaco-editor/editor';
import type { Diagnostic, Edit, Place } from '../src/index.ts';
import type { Ask } from './asking.ts';
import { languageId } from './language.ts';
import { actionsIn } from './service/actions.ts';
import { colourTypes } from './service/colours.ts';
import type { Fold, Outlined } from './service/outline.ts';

type Model = editor.ITextModel;

/** What the page brings. */
export interface Page {
  readonly ask: Ask;
  /** The file that the model is. */
  readonly file: string;
  /** All that is wrong with the text as it is. */
  current(): readonly Diagnostic[];
  /** Tells of what could not be done. */
  failed(message: string): void;
}

/** Answers a question about a text; what was asked of a text that has changed since is dropped. */
async function still<T>(
  model: Model,
  token: CancellationToken | undefined,
  answer: Promise<T>,
): Promise<T | null> {
  const version = model.getVersionId();
  const found = await answer;
  return token?.isCancellationRequested || model.isDisposed() || model.getVersionId() !== version
    ? null
    : found;
}

/** Returns what makes Monaco ask for hints anew: after the second wave. */
export function registerProviders(page: Page): () => void {
  registerPlaces(page);
  registerNames(page);
  registerShape(page);
  registerActions(page);
  registerFormatting(page);
  return registerHints(page);
}

const kinds = {
  keyword: languages.CompletionItemKind.Keyword,
  name: languages.CompletionItemKind.Variable,
  value: languages.CompletionItemKind.Value,
};

function registerPlaces({ ask }: Page): void {
  languages.registerCompletionItemProvider(languageId, {
    triggerCharacters: [' ', '"', ':', '.'],
    async provideCompletionItems(model, position, _context, token) {
      const offers = await still(model, token, ask('complete', { offset: model.getOffsetAt(position) }));
      const suggestions = (offers ?? []).map(({ label, kind, detail, text, span }, index) => ({
        label,
        kind: kinds[kind],
        detail,
        insertText: text,
        filterText: text,
        sortText: String(index).padStart(4, '0'),
        range: spanRange(model, span),
      }));
      return { suggestions };
    },
  });
  languages.registerHoverProvider(languageId, {
    async provideHover(model, position, token) {
      const hover = await still(model, token, ask('hover', { offset: model.getOffsetAt(position) }));
      if (!hover) return null;
      return { contents: hover.paragraphs.map((value) => ({ value })), range: spanRange(model, hover.span) };
    },
  });
}

function registerNames({ ask, file }: Page): void {
  const here = (place: Place) => place.file === file;
  languages.registerDefinitionProvider(languageId, {
    async provideDefinition(model, position, token) {
      const places = await still(model, token, ask('definition', { offset: model.getOffsetAt(position) }));
      return (places ?? [])
        .filter(here)
        .map(({ span }) => ({ uri: model.uri, range: spanRange(model, span) }));
    },
  });
  languages.registerReferenceProvider(languageId, {
    async provideReferences(model, position, { includeDeclaration }, token) {
      const found = await still(model, token, ask('references', { offset: model.getOffsetAt(position) }));
      return (found ?? [])
        .filter(({ place, declares }) => here(place) && (includeDeclaration || !declares))
        .map(({ place }) => ({ uri: model.uri, range: spanRange(model, place.span) }));
    },
  });
  languages.registerDocumentHighlightProvider(languageId, {
    async provideDocumentHighlights(model, position, token) {
      const found = await still(model, token, ask('references', { offset: model.getOffsetAt(position) }));
      return (found ?? [])
        .filter(({ place }) => here(place))
        .map(({ place }) => ({ range: spanRange(model, place.span) }));
    },
  });
  languages.registerRenameProvider(languageId, {
    async resolveRenameLocation(model, position, token) {
      const name = await still(model, token, ask('renamable', { offset: model.getOffsetAt(position) }));
      const nothing = { range: new Range(1, 1, 1, 1), text: '' };
      if (!name) return { ...nothing, rejectReason: 'What stands here is no name that a policy gives.' };
      return { range: spanRange(model, name.place.span), text: name.text };
    },
    async provideRenameEdits(model, position, to, token) {
      const renaming = await still(model, token, ask('rename', { offset: model.getOffsetAt(position), to }));
      if (renaming === null) return { edits: [] };
      if ('refused' in renaming) return { edits: [], rejectReason: renaming.refused };
      return { edits: renaming.edits.filter(here).map((edit) => textEdit(model, edit)) };
    },
  });
}

const symbolKinds: Readonly<Record<Outlined['kind'], languages.SymbolKind>> = {
  host: languages.SymbolKind.Namespace,
  device: languages.SymbolKind.Variable,
  policy: languages.SymbolKind.Class,
  test: languages.SymbolKind.Event,
  import: languages.SymbolKind.File,
  statement: languages.SymbolKind.Property,
};

function symbolOf(model: Model, one: Outlined): languages.DocumentSymbol {
  return {
    name: one.name === '' ? '…' : one.name,
    detail: one.detail,
    kind: symbolKinds[one.kind],
    tags: [],
    range: spanRange(model, one.span),
    selectionRange: spanRange(model, one.selection),
    children: one.children.map((child) => symbolOf(model, child)),
  };
}

function foldOf({ firstLine, lastLine, kind }: Fold): languages.FoldingRange {
  const range = { start: firstLine, end: lastLine };
  if (kind === 'block') return range;
  const { Comment, Imports } = languages.FoldingRangeKind;
  return { ...range, kind: kind === 'comment' ? Comment : Imports };
}

function registerShape({ ask }: Page): void {
  languages.registerDocumentSymbolProvider(languageId, {
    async provideDocumentSymbols(model, token) {
      const outline = await still(model, token, ask('outline', undefined));
      return (outline ?? []).map((one) => symbolOf(model, one));
    },
  });
  languages.registerFoldingRangeProvider(languageId, {
    async provideFoldingRanges(model, _context, token) {
      const folds = await still(model, token, ask('folds', undefined));
      return folds?.map(foldOf);
    },
  });
  languages.registerDocumentSemanticTokensProvider(languageId, {
    getLegend: () => ({ tokenTypes: [...colourTypes], tokenModifiers: ['declaration'] }),
    async provideDocumentSemanticTokens(model, _last, token) {
      const colours = await still(model, token, ask('colours', undefined));
      if (colours === null) return null;
      const data: number[] = [];
      let [line, column] = [1, 1];
      for (const { span, type, declares } of colours) {
        const at = model.getPositionAt(span.start);
        const by = at.lineNumber === line ? at.column - column : at.column - 1;
        const length = span.end - span.start;
        data.push(at.lineNumber - line, by, length, colourTypes.indexOf(type), Number(declares));
        [line, column] = [at.lineNumber, at.column];
      }
      return { data: new Uint32Array(data) };
    },
    releaseDocumentSemanticTokens() {},
  });
}

function registerHints({ ask }: Page): () => void {
  const changed = new Emitter<void>();
  languages.registerInlayHintsProvider(languageId, {
    onDidChangeInlayHints: changed.event,
    async provideInlayHints(model, range, token) {
      const [start, end] = [range.getStartPosition(), range.getEndPosition()];
      const span = { start: model.getOffsetAt(start), end: model.getOffsetAt(end) };
      const found = await still(model, token, ask('hints', span));
      const hints = (found ?? []).map(({ offset, label }) => ({
        label,
        position: Position.lift(model.getPositionAt(offset)),
        paddingLeft: true,
      }));
      return { hints, dispose() {} };
    },
  });
  return () => changed.fire();
}

/** Offers the fixes that diagnostics carry. */
function registerActions({ current, file }: Page): void {
  languages.registerCodeActionProvider(languageId, {
    provideCodeActions(model, range) {
      const start = model.getOffsetAt({ lineNumber: range.startLineNumber, column: range.startColumn });
      const end = model.getOffsetAt({ lineNumber: range.endLineNumber, column: range.endColumn });
      const actions = actionsIn(current(), file, { start, end }).map(({ fix, preferred }) => ({
        title: fix.title,
        kind: 'quickfix',
        isPreferred: preferred,
        edit: { edits: fix.edits.map((edit) => textEdit(model, edit)) },
      }));
      return { actions, dispose() {} };
    },
  });
}

function registerFormatting({ ask, failed }: Page): void {
  languages.registerDocumentFormattingEditProvider(languageId, {
    displayName: 'vfioplan',
    async provideDocumentFormattingEdits(model, _options, token) {
      const formatted = await still(model, token, ask('format', undefined));
      if (formatted === null) return [];
      const message = formatted.diagnostics.find(({ severity }) => severity === 'error')?.message;
      if (message !== undefined) failed(message);
      return message === undefined ? [{ range: model.getFullModelRange(), text: formatted.text }] : [];
    },
  });
}

function spanRange(model: Model, { start, end }: Diagnostic['place']['span']): Range {
  return Range.fromPositions(model.getPositionAt(start), model.getPositionAt(end));
}

function textEdit(model: Model, { span, text }: Edit): languages.IWorkspaceTextEdit {
  const edit = { range: spanRange(model, span), text };
  return { resource: model.uri, versionId: model.getVersionId(), textEdit: edit };
}
