/** Teaches Monaco the language: colours, brackets, comments and fixes. All words come from the generated highlighter. */
import { editor, languages, type Position, Range } from 'monaco-editor/editor';
import monarch from '../grammar/generated/monarch.json';
import { type KeywordText, keywords } from '../grammar/keywords.ts';
import type { Diagnostic, Edit } from '../src/index.ts';

export const languageId = 'vfio';

export function registerLanguage(): void {
  languages.register({ id: languageId, extensions: ['.vfio'], aliases: ['vfioplan'] });
  languages.setMonarchTokensProvider(languageId, monarch as unknown as languages.IMonarchLanguage);
  languages.setLanguageConfiguration(languageId, {
    comments: { lineComment: '#' },
    brackets: [
      ['{', '}'],
      ['(', ')'],
    ],
    autoClosingPairs: [
      { open: '{', close: '}' },
      { open: '(', close: ')' },
      { open: '"', close: '"', notIn: ['string', 'comment'] },
    ],
    wordPattern: /[A-Za-z0-9_*][A-Za-z0-9_*:+@/.-]*/,
    indentationRules: { increaseIndentPattern: /\{[^}]*$/, decreaseIndentPattern: /^\s*\}/ },
  });
}

/** Says what a keyword means, in the vocabulary's own words. */
export function registerHovers(): void {
  languages.registerHoverProvider(languageId, {
    provideHover(model, position) {
      const word = model.getWordAtPosition(position)?.word ?? '';
      if (!Object.hasOwn(keywords, word)) return null;
      const { meaning } = keywords[word as KeywordText];
      return { contents: [{ value: `**${word}**: ${meaning}` }] };
    },
  });
}

/** The look of both colour schemes; the page's own colours are in style.css. */
export function defineThemes(): void {
  const rules = (
    keyword: string,
    join: string,
    value: string,
    number: string,
    text: string,
    comment: string,
  ) => [
    { token: 'keyword', foreground: keyword, fontStyle: 'bold' },
    { token: 'keyword.operator', foreground: join },
    { token: 'type', foreground: value },
    { token: 'number', foreground: number },
    { token: 'string', foreground: text },
    { token: 'comment', foreground: comment, fontStyle: 'italic' },
  ];
  editor.defineTheme('vfio-light', {
    base: 'vs',
    inherit: true,
    rules: rules('1f4fa8', '6b3fa0', '0b6e6e', '8a4b00', '1c6b2d', '5d6673'),
    colors: { 'editor.background': '#ffffff' },
  });
  editor.defineTheme('vfio-dark', {
    base: 'vs-dark',
    inherit: true,
    rules: rules('82aaff', 'c9a3f5', '7fd6d0', 'f0b67f', 'a5d6a0', '8b95a5'),
    colors: { 'editor.background': '#14181f' },
  });
}

export function rangeOf(model: editor.ITextModel, span: Diagnostic['place']['span']): Range {
  const start: Position = model.getPositionAt(span.start);
  const end = model.getPositionAt(Math.max(span.end, span.start + 1));
  return Range.fromPositions(start, end);
}

/** Offers the fixes that diagnostics carry. `current`: those of the text as it is now. */
export function registerFixes(current: () => readonly Diagnostic[]): void {
  languages.registerCodeActionProvider(languageId, {
    provideCodeActions(model, range) {
      const fixable = current().filter(
        ({ place }) =>
          rangeOf(model, place.span).containsRange(range) ||
          Range.areIntersectingOrTouching(rangeOf(model, place.span), range),
      );
      const actions = fixable.flatMap(({ fixes }) =>
        fixes.map(
          ({ title, edits }, index): languages.CodeAction => ({
            title,
            kind: 'quickfix',
            isPreferred: index === 0,
            edit: { edits: edits.map((edit) => textEdit(model, edit)) },
          }),
        ),
      );
      return { actions, dispose() {} };
    },
  });
}

function textEdit(model: editor.ITextModel, { span, text }: Edit): languages.IWorkspaceTextEdit {
  const range = Range.fromPositions(model.getPositionAt(span.start), model.getPositionAt(span.end));
  return { resource: model.uri, versionId: model.getVersionId(), textEdit: { range, text } };
}
