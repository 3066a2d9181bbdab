import type { Context } from './keywords.ts';
import type { Span } from './span.ts';
import type { Token } from './tree.ts';

/** One thing that is wrong with the words, at offsets relative to its block. Wording belongs to the diagnostics. */
export type Issue = Span &
  (
    | { readonly kind: 'unexpected'; readonly text: string }
    | { readonly kind: 'unclosed-text' }
    | {
        readonly kind: 'unclosed-block';
        /** How many blocks are open where the declaration ends, and the end of its last word. */
        readonly open: number;
        readonly last: number;
      }
    | {
        readonly kind: 'missing';
        /** Names of tokens, as the vocabulary calls them. */
        readonly expected: readonly string[];
        /** What stands there instead; absent at the end of the text. */
        readonly found: string | undefined;
        readonly after: Token | undefined;
      }
    | { readonly kind: 'stray'; readonly text: string }
    | { readonly kind: 'unknown'; readonly word: string; readonly context: Context; readonly whole: Span }
    | { readonly kind: 'too-deep' }
    | { readonly kind: 'too-large' }
    | { readonly kind: 'too-many' }
  );
