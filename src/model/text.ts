/**
 * How the kernel reads the text that somebody wrote to one of its files: as far as the first zero byte, for a file's
 * handler is given a string.
 */

/** What a file's handler sees of one write: at most a page, up to the first zero byte (fs/kernfs/file.c:kernfs_fop_write_iter). */
export function handed(text: string): string {
  const page = text.length > 4096 ? text.slice(0, 4096) : text;
  const end = page.indexOf('\0');
  return end === -1 ? page : page.slice(0, end);
}

/** How many bytes one write call takes. */
export function taken(text: string): number {
  return Math.min(text.length, 4096);
}

/** Equal but for one newline at the end (lib/string_helpers.c:sysfs_streq). */
export function sameLine(text: string, word: string): boolean {
  return text === word || text === `${word}\n`;
}

/**
 * An unsigned number of at most `bits` bits: decimal, after `0x` hexadecimal, after `0` octal, with an optional plus
 * before and one newline after (lib/kstrtox.c:kstrtoull, kstrtoul, kstrtouint, kstrtou16).
 */
export function unsigned(text: string, bits: number): bigint | 'EINVAL' | 'ERANGE' {
  const [, digits = ''] = /^\+?(0x[\da-f]+|0[0-7]*|[1-9]\d*)\n?$/i.exec(handed(text)) ?? [];
  if (digits === '') return 'EINVAL';
  const significant = digits.replace(/^0x0*|^0+/i, '');
  if (significant.length > 64) return 'ERANGE';
  const base = /^0x/i.test(digits) ? '0x' : digits.startsWith('0') ? '0o' : '';
  const value = BigInt(`${base}${significant === '' ? '0' : significant}`);
  return value >> BigInt(bits) === 0n ? value : 'ERANGE';
}

/** Whether a text is a number of a word's width: files that take one are indifferent to why it is not. */
export function wholeNumber(text: string): bigint | null {
  const value = unsigned(text, 64);
  return typeof value === 'string' ? null : value;
}

/**
 * Hexadecimal fields as sscanf reads `%x`, one after `separator`; as many as there are, at most `most`. Of a number that
 * is too wide the low 64 bits stay (lib/vsprintf.c:vsscanf, simple_strntoull).
 */
export function hexFields(text: string, separator: ' ' | ':', most: number): readonly bigint[] {
  const fields: bigint[] = [];
  let rest = handed(text);
  while (fields.length < most) {
    if (fields.length > 0 && separator === ':') {
      if (!rest.startsWith(':')) break;
      rest = rest.slice(1);
    }
    const found = /^[\t-\r ]*(?:0x([\da-f]*)|([\da-f]+))/i.exec(rest);
    if (found === null) break;
    const digits = found[1] ?? found[2] ?? '';
    fields.push(BigInt(`0x${digits.slice(-16) || '0'}`));
    rest = rest.slice(found[0].length);
  }
  return fields;
}
