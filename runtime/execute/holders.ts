import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Address } from '../../src/machine/snapshot.ts';

/**
 * Who has a function open: processes with a descriptor of one of its nodes, or of the device itself. A device's
 * descriptor is anonymous (`anon_inode:[vfio-device]`) and says which function it is only on kernels whose fdinfo has
 * `vfio-device-syspath`; elsewhere a process that has such a descriptor and no group open besides may hold any
 * function, and is named.
 */
export function linuxHolders(device: Address, nodes: readonly string[], proc = '/proc'): readonly string[] {
  const holders: string[] = [];
  for (const pid of names(proc)) {
    if (/^\d+$/.test(pid) && holds(`${proc}/${pid}`, device, new Set(nodes))) {
      holders.push(`${commandOf(`${proc}/${pid}`)} (process ${pid})`);
    }
  }
  return holders;
}

function holds(process: string, device: Address, nodes: ReadonlySet<string>): boolean {
  let anonymous = false;
  let otherGroup = false;
  for (const fd of names(`${process}/fd`)) {
    const target = attempt(() => readlinkSync(`${process}/fd/${fd}`));
    if (target === null) continue;
    if (nodes.has(target)) return true;
    if (/^\/dev\/vfio\/(noiommu-)?\d+$/.test(target)) otherGroup = true;
    if (target !== 'anon_inode:[vfio-device]') continue;
    const info = attempt(() => readFileSync(`${process}/fdinfo/${fd}`, 'utf8')) ?? '';
    const path = /^vfio-device-syspath:\s*(\S+)/m.exec(info)?.[1];
    if (path === undefined) anonymous = true;
    else if (path.endsWith(`/${device}`)) return true;
  }
  return anonymous && !otherGroup;
}

function commandOf(process: string): string {
  return attempt(() => readFileSync(`${process}/comm`, 'utf8').trim()) ?? 'a process';
}

function names(directory: string): readonly string[] {
  return attempt(() => readdirSync(directory)) ?? [];
}

/** Processes come and go while they are read; one that is gone holds nothing. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}
