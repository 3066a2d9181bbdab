import type { Guard } from './guard.ts';
import type { Op } from './op.ts';
import type { Node, Process, World } from './state.ts';

/** Whether a process may open a node for reading and writing (fs/namei.c:acl_permission_check). */
export function mayUse(process: Process, node: Node): boolean {
  if (process.capabilities.has('CAP_DAC_OVERRIDE')) return true;
  const shift = process.uid === node.uid ? 6 : memberOf(process, node.gid) ? 3 : 0;
  return ((node.mode >> shift) & 6) === 6;
}

export function memberOf(process: Process, gid: number): boolean {
  return process.gid === gid || process.groups.includes(gid);
}

export function capable(world: World, pid: number, capability: string): boolean {
  return world.processes.get(pid)?.capabilities.has(capability) ?? false;
}

/** The test of a sysfs file that only root may write. */
export function rootOnly<O extends Op>(op: O['op'], file: string): Guard<O> {
  return {
    id: `${op}.permission`,
    words: `only root may write ${file}`,
    errno: 'EACCES',
    citation: 'fs/namei.c:may_open (fs/kernfs/file.c gives sysfs files their modes)',
    applies: (world, _state, asked) => {
      const process = world.processes.get(asked.pid);
      return process?.uid !== 0 && !process?.capabilities.has('CAP_DAC_OVERRIDE');
    },
  };
}
