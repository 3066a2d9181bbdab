import type { State, World } from './state.ts';

/** Whether somebody who waits has the lock of the device. */
export function isLocked({ profile }: World, state: State, index: number): boolean {
  const leaving = state.devices[index]?.leaving ?? null;
  if (leaving !== null) return true;
  const { removing } = state.bus;
  return (
    profile.numvfsLocks &&
    removing.length > 0 &&
    removing.some(({ op, device }) => op === 'device.sriov_numvfs' && device === index)
  );
}
