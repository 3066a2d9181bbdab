import { type CoreDevice, untouched } from './core-device.ts';
import { draftOf, vfioOf } from './draft.ts';
import { fileAt, fileOf } from './files.ts';
import { same } from './same.ts';
import type { Hardware, State, World } from './state.ts';

/** The device behind a descriptor: what it is, and what its users have made of it. */
interface Descriptor {
  readonly pid: number;
  readonly fd: number;
}

export function hardwareOf(world: World, state: State, op: Descriptor): Hardware | undefined {
  const file = fileOf(state, op);
  return file?.kind === 'device' ? world.hardware[file.device] : undefined;
}

export function coreOf(state: State, op: Descriptor): CoreDevice {
  const file = fileOf(state, op);
  return (file?.kind === 'device' ? state.devices[file.device]?.vfio?.core : null) ?? untouched;
}

export function withCore(state: State, op: Descriptor, changes: Partial<CoreDevice>): State {
  const file = fileOf(state, op);
  const device = file?.kind === 'device' ? state.devices[file.device] : undefined;
  if (file?.kind !== 'device' || !device?.vfio) return state;
  const made = { ...(device.vfio.core ?? untouched), ...changes };
  const core = same(made, untouched) ? null : made;
  const draft = draftOf(state);
  vfioOf(draft, file.device).core = core;
  return draft;
}

/** What descriptors of eventfds are refused for (fs/eventfd.c:eventfd_ctx_fdget, eventfd_ctx_fileget). */
export function eventfdFault(state: State, pid: number, fd: number): 'EBADF' | 'EINVAL' | null {
  const kind = fileAt(state, pid, fd)?.kind;
  if (kind === undefined) return 'EBADF';
  return kind === 'eventfd' ? null : 'EINVAL';
}

/** A device whose virtual functions are guarded by this token from now on. */
export function withToken(state: State, index: number, token: string): State {
  if (!state.devices[index]?.vfio) return state;
  const draft = draftOf(state);
  vfioOf(draft, index).token = token;
  return draft;
}
