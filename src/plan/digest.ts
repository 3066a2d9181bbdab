import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonical } from '../machine/canonical.ts';
import type { Snapshot } from '../machine/snapshot.ts';

/** SHA-256 of a value's canonical text, in lower-case hex. */
export function digestOf(value: unknown): string {
  return hash(canonical(value));
}

const digests = new WeakMap<Snapshot, string>();

/** `digestOf` a snapshot, which no edit of a policy changes: worked out once for each. */
export function snapshotDigest(snapshot: Snapshot): string {
  let digest = digests.get(snapshot);
  if (digest === undefined) {
    digest = digestOf(snapshot);
    digests.set(snapshot, digest);
  }
  return digest;
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
