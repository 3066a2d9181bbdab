import { type Keyword, keywords } from './keywords.ts';
import { wordPattern } from './tokens.ts';

const whole = new RegExp(`^(?:${wordPattern.source})$`);

/** A name or a value as a policy has it: as it is, or in quotes where it could not be read otherwise. */
export function written(text: string): string {
  const keyword = (keywords as Readonly<Record<string, Keyword | undefined>>)[text];
  return whole.test(text) && keyword === undefined ? text : inQuotes(text);
}

/** A text in quotes, with escapes for what cannot stand there or cannot be seen. */
export function inQuotes(text: string): string {
  const escaped = text.replace(/["\\]|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return `"${escaped}"`;
}
