/** Characters that let a text read otherwise than it is. */

/** Bidirectional controls: they rearrange what is shown (CVE-2021-42574). */
export const bidirectional = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/;

const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffd]/gu;

export function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** User text in a message: characters that cannot be seen by their code points, and not longer than a line. */
export function shown(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return short.replace(invisible, codePoint);
}
