import { liveFiles } from '../../../runtime/probe/files.ts';
import { probe } from '../../../runtime/probe/probe.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';

/** The machine as the product's own probe sees it now. */
export function liveSnapshot(): Snapshot {
  const { snapshot, diagnostics } = probe(liveFiles());
  if (snapshot === undefined) throw new Error(`the probe refused: ${JSON.stringify(diagnostics)}`);
  return snapshot;
}
