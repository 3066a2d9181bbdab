import type { OpenFile, State } from './state.ts';

/** Descriptors 0, 1 and 2 are taken and are nothing of VFIO's; the tables hold those from 3 on. */
export const firstDescriptor = 3;

const standard: OpenFile = { kind: 'other', refs: 1, path: '/dev/null' };

/** The open file description behind a descriptor, or null when it is not open. */
export function fileOf(state: State, pid: number, fd: number): OpenFile | null {
  if (fd === 0 || fd === 1 || fd === 2) return standard;
  const id = fileId(state, pid, fd);
  return id === -1 ? null : (state.files[id] ?? null);
}

/** Its place in `State.files`; -1 when it is not open, or is a standard descriptor. */
export function fileId(state: State, pid: number, fd: number): number {
  for (const table of state.descriptors) {
    if (table.pid === pid) return table.files[fd - firstDescriptor] ?? -1;
  }
  return -1;
}

/** Pids that have a descriptor of the device, ascending. */
export function holdersOf(state: State, device: number): readonly number[] {
  const holds = (id: number): boolean => {
    const file = state.files[id];
    return file?.kind === 'device' && file.device === device;
  };
  return state.descriptors
    .filter(({ files }) => files.some(holds))
    .map(({ pid }) => pid)
    .sort((a, b) => a - b);
}
