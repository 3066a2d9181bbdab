export { canonical as writeCanonical } from '../machine/canonical.ts';

/** The document for people: two spaces of indent, fields in the order that the program made them, final newline. */
export function writePretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
