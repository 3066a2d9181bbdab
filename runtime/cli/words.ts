/** `1 error`, `2 errors`; empty for none. */
export function counted(count: number, noun: string): string {
  if (count === 0) return '';
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Text from a file, made safe for a terminal: control characters would move its cursor or change its colours. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Several lines, each made safe. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
