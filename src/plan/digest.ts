import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** JSON with sorted keys and no spaces: equal values give equal text. Only what JSON can hold may be given. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
}

/** SHA-256 of a value's canonical text, in lower-case hex. */
export function digestOf(value: unknown): string {
  return hash(canonical(value));
}

/**
 * SHA-256 over the texts of the policy files. Neither their names nor their order count: the order of files never
 * changes what a policy means, and a file may be named from another directory.
 */
export function policyDigest(sources: readonly { readonly text: string }[]): string {
  return digestOf(sources.map(({ text }) => hash(text)).sort());
}

function hash(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}
