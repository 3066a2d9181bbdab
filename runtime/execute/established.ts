import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import type { Established } from '../../src/machine/snapshot.ts';
import type { JournalIntent } from '../../src/wire/journal.ts';
import { isOpen } from './history.ts';
import { placeOfStore, readHistory, unfinished, unusable } from './run.ts';
import { isFailure, type JournalStore } from './store.ts';

type Reading =
  | { readonly established: readonly Established[] }
  /** Why it cannot be told: a journal that cannot be read, or a generation that is neither finished nor taken back. */
  | { readonly diagnostics: readonly [Diagnostic, ...Diagnostic[]] };

/**
 * What the generations that are in effect have changed on the running machine, each file with what the first of them found
 * there and what the last left. What a generation found otherwise than the one before had left it, somebody else changed in
 * between: then that is what it goes back to. Configuration files are not among it: their first line says whose they are.
 */
export function establishedBy(store: JournalStore, bootId: string | null): Reading {
  const generations = store.generations();
  const place = placeOfStore(store);
  if (isFailure(generations)) {
    // Nothing was ever begun.
    return generations.errno === 'ENOENT'
      ? { established: [] }
      : { diagnostics: [unusable(place, generations)] };
  }
  const marks = new Map<string, Established>();
  for (const generation of generations) {
    const read = readHistory(store, generation);
    if ('diagnostics' in read) {
      const [first, ...others] = read.diagnostics;
      if (first !== undefined) return { diagnostics: [first, ...others] };
    } else if (read.history !== undefined) {
      const { header, steps, verdict } = read.history;
      if (isOpen(read.history)) return { diagnostics: [unfinished(read.history)] };
      if (verdict !== 'done') continue;
      const earlierBoot = header.bootId !== null && bootId !== null && header.bootId !== bootId;
      for (const { intent } of steps) take(marks, intent, { generation, earlierBoot });
    }
  }
  return { established: [...marks.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

function take(
  marks: Map<string, Established>,
  intent: JournalIntent,
  its: Pick<Established, 'generation' | 'earlierBoot'>,
): void {
  const { before, after, operation, identity } = intent;
  for (const [path, left] of Object.entries(after)) {
    const found = before[path] ?? null;
    const of = operation.op === 'node.own' && operation.path === path ? operation.of : undefined;
    const key = of === undefined ? path : `${path.replace(/\d+$/, '')} of ${of}`;
    const deed = isDeed(path, operation);
    const last = marks.get(key);
    // What was done to another device at the same address has nothing to do with this one.
    const known = deed && last !== undefined && last.identity !== identity ? undefined : last;
    if (known === undefined && !deed) continue;
    if (known !== undefined && known.left === found) {
      if (found === left) continue;
      if (left === known.found) marks.delete(key);
      else marks.set(key, { ...known, path, left, ...its });
    } else if (found !== left && deed)
      marks.set(key, { path, found, left, identity, ...(of === undefined ? {} : { of }), ...its });
    // Somebody else changed it, and then it was looked at: it is his. What came or went along begins anew.
    else marks.delete(key);
  }
}

/** Whether a path is what the operation was done for; the others follow from it, and go back with it. */
function isDeed(path: string, operation: JournalIntent['operation']): boolean {
  switch (operation.op) {
    case 'node.own':
      return path === operation.path;
    case 'parameter.write':
      return path.endsWith(`/parameters/${operation.parameter}`);
    case 'module.load':
    case 'module.unload':
      return /^\/sys\/module\/[^/]+$/.test(path);
    case 'override.write':
    case 'driver.bind':
    case 'driver.unbind':
    case 'drivers.probe':
    case 'device.sriov_numvfs':
      return ['driver', 'driver_override', 'sriov_numvfs'].some(
        (file) => path === `/sys/bus/pci/devices/${operation.device}/${file}`,
      );
    default:
      return false;
  }
}
