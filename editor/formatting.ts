import { languages } from 'monaco-editor/editor';
import { languageId } from './language.ts';
import type { Formatted, Formatting } from './protocol.ts';

/**
 * Offers "Format Document". `ask` sends the text to the compiler, `failed` tells of a bug in it. Returns what takes the
 * compiler's answers. An answer to a text that was changed meanwhile is dropped by Monaco.
 */
export function registerFormatting(
  file: string,
  ask: (question: Formatting) => void,
  failed: (message: string) => void,
): (answer: Formatted) => void {
  const waiting = new Map<number, (answer: Formatted) => void>();
  let newest = 0;
  languages.registerDocumentFormattingEditProvider(languageId, {
    displayName: 'vfioplan',
    provideDocumentFormattingEdits(model) {
      newest += 1;
      const request = newest;
      return new Promise((resolve) => {
        waiting.set(request, ({ text, diagnostics, bug }) => {
          const message = bug ?? diagnostics.find(({ severity }) => severity === 'error')?.message;
          if (message !== undefined) failed(message);
          resolve(message === undefined ? [{ range: model.getFullModelRange(), text }] : []);
        });
        ask({ ask: 'format', request, file, text: model.getValue() });
      });
    },
  });
  return (answer) => {
    waiting.get(answer.request)?.(answer);
    waiting.delete(answer.request);
  };
}
