export { canonical as writeCanonical } from '../machine/canonical.ts';

/** The document for people: two spaces of indent, fields in the order that the program made them, final newline. */
export function writePretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** JSON Lines, as journals and traces are written: one record a line, fields in the order that the program made them. */
export function writeLines(records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}
