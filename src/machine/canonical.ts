/**
 * Canonical JSON: fields in the order of their UTF-16 code units, no white space, no final newline. Equal values give
 * equal texts, so it is what digests are taken of. `value` holds only what JSON can hold; a field that is `undefined`
 * is left out. Recursion is as deep as the document, and documents that were read are at most 64 deep.
 */
export function canonical(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('JSON has no such number');
  if (typeof value !== 'object' || value === null) {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) throw new Error(`JSON has no ${typeof value}`);
    return text;
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${fields.join(',')}}`;
}
