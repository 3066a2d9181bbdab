/** Teaches Monaco the language: colours, brackets and comments. All words come from the generated highlighter. */
import { editor, languages, type Position, Range } from 'monaco-editor/editor';
import monarch from '../grammar/generated/monarch.json';
import type { Diagnostic } from '../src/index.ts';
import configuration from './language-configuration.json';

export const languageId = 'vfio';

export function registerLanguage(): void {
  languages.register({ id: languageId, extensions: ['.vfio'], aliases: ['vfioplan'] });
  languages.setMonarchTokensProvider(languageId, monarch as unknown as languages.IMonarchLanguage);
  const { wordPattern, indentationRules, ...rest } = configuration;
  languages.setLanguageConfiguration(languageId, {
    ...(rest as languages.LanguageConfiguration),
    wordPattern: new RegExp(wordPattern),
    indentationRules: {
      increaseIndentPattern: new RegExp(indentationRules.increaseIndentPattern),
      decreaseIndentPattern: new RegExp(indentationRules.decreaseIndentPattern),
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
    name: string,
  ) => [
    { token: 'keyword', foreground: keyword, fontStyle: 'bold' },
    { token: 'keyword.operator', foreground: join },
    { token: 'type', foreground: value },
    { token: 'number', foreground: number },
    { token: 'string', foreground: text },
    { token: 'comment', foreground: comment, fontStyle: 'italic' },
    // Names, by what the service says they name.
    ...['namespace', 'variable', 'class', 'property'].map((token) => ({ token, foreground: name })),
    ...['namespace', 'variable', 'class', 'property'].map((token) => ({
      token: `${token}.declaration`,
      foreground: name,
      fontStyle: 'bold',
    })),
    { token: 'parameter', foreground: name, fontStyle: 'italic' },
    { token: 'enumMember', foreground: value },
  ];
  editor.defineTheme('vfio-light', {
    base: 'vs',
    inherit: true,
    rules: rules('1f4fa8', '6b3fa0', '0b6e6e', '8a4b00', '1c6b2d', '5d6673', '24292f'),
    colors: { 'editor.background': '#ffffff' },
  });
  editor.defineTheme('vfio-dark', {
    base: 'vs-dark',
    inherit: true,
    rules: rules('82aaff', 'c9a3f5', '7fd6d0', 'f0b67f', 'a5d6a0', '8b95a5', 'e6edf3'),
    colors: { 'editor.background': '#14181f' },
  });
}

export function rangeOf(model: editor.ITextModel, span: Diagnostic['place']['span']): Range {
  const start: Position = model.getPositionAt(span.start);
  const end = model.getPositionAt(Math.max(span.end, span.start + 1));
  return Range.fromPositions(start, end);
}
