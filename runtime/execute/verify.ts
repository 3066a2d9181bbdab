import type { Address } from '../../src/machine/snapshot.ts';
import type { PlanOperation, PlanStep } from '../../src/plan/plan.ts';
import type { Backend } from '../backend.ts';
import { observe, observeAll, presentNode } from '../lower/observe.ts';

/** What paths show, predicted or observed. */
export type Shows = { readonly [path: string]: string | null };

export interface Difference {
  readonly path: string;
  readonly expected: string | null;
  readonly found: string | null;
}

/** The first path that shows something else than expected. */
export function difference(expected: Shows, found: Shows): Difference | null {
  for (const [path, value] of Object.entries(expected)) {
    const shown = found[path] ?? null;
    if (!agrees(path, value, shown)) return { path, expected: value, found: shown };
  }
  return null;
}

/**
 * Taint is a set of bits that only grows, and anything on the machine may add one at any time: every predicted bit
 * must be there, others may.
 */
export function agrees(path: string, expected: string | null, found: string | null): boolean {
  if (path !== taintPath || expected === null || found === null) return expected === found;
  if (!/^\d{1,20}$/.test(expected) || !/^\d{1,20}$/.test(found)) return expected === found;
  const bits = BigInt(expected);
  return (BigInt(found) & bits) === bits;
}

const taintPath = '/proc/sys/kernel/tainted';

/** Whether what a path shows is on a disk. */
export function outlivesBoot(path: string): boolean {
  return path.startsWith('/etc/');
}

export function look(backend: Backend, paths: Shows): Shows {
  return observeAll(backend, Object.keys(paths));
}

/** `vendor:device` of the function that stands at the address now; null: there is none. */
export function identityAt(backend: Backend, device: Address): string | null {
  const directory = `/sys/bus/pci/devices/${device}`;
  const vendor = observe(backend, `${directory}/vendor`);
  const model = observe(backend, `${directory}/device`);
  if (vendor === null || model === null) return null;
  return `${vendor.replace(/^0x/, '')}:${model.replace(/^0x/, '')}`;
}

/** The function that an operation acts on. */
export function deviceOf(operation: PlanOperation): Address | null {
  return 'device' in operation ? operation.device : null;
}

/** Functions that are there after a step and were not before. */
export function arrivalsOf({ before, after }: Pick<PlanStep, 'before' | 'after'>): readonly Address[] {
  return Object.keys(after).flatMap((path) => {
    const [, address] = /^\/sys\/bus\/pci\/devices\/([^/]+)\/vendor$/.exec(path) ?? [];
    return address !== undefined && before[path] === null && after[path] !== null ? [address] : [];
  });
}

/** The virtual functions of a physical one, as they are there now. */
export function virtualFunctionsOf(backend: Backend, device: Address): readonly Address[] {
  const found: Address[] = [];
  for (;;) {
    const address = observe(backend, `/sys/bus/pci/devices/${device}/virtfn${found.length}`);
    if (address === null || !/^[\da-f]{4,8}:/.test(address)) return found;
    found.push(address);
  }
}

/** The nodes through which a process can have the function open now: its group's, and its own. */
export function nodesOf(backend: Backend, device: Address): readonly string[] {
  const group = observe(backend, `/sys/bus/pci/devices/${device}/iommu_group`);
  const own = presentNode(backend, '/dev/vfio/devices/', device);
  return [
    ...(group === null ? [] : [`/dev/vfio/${group}`, `/dev/vfio/noiommu-${group}`]),
    ...(own === null ? [] : [own]),
  ].filter((path) => observe(backend, path) !== null);
}

/** A shown value as a message has it; of a text of several lines the first. */
export function quoted(shown: string | null): string {
  if (shown === null) return 'nothing';
  const [first = '', ...others] = shown.split('\n');
  return others.length === 0 ? `\`${shown}\`` : `\`${first}\` and ${others.length} more lines`;
}
