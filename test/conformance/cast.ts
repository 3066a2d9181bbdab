/** Who acts in a sequence, and where their memory lies: the same for the model and for every kernel. */
import type { Credentials } from '../../runtime/backend.ts';
import type { Process } from '../../src/model/state.ts';
import type { Regions } from '../runtime/kernel/random-operations.ts';

export type Actor = Credentials & { readonly pid: number; readonly nofile: number };

const administrator = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_IPC_LOCK',
  'CAP_SYS_ADMIN',
  'CAP_SYS_MODULE',
  'CAP_SYS_RESOURCE',
];

/** The first one makes most of the calls, and afterwards brings the machine back to where it was. */
export const actors: readonly [Actor, ...Actor[]] = [
  {
    pid: 1,
    uid: 0,
    gid: 0,
    groups: [],
    capabilities: [...administrator, 'CAP_SYS_RAWIO'],
    memlock: null,
    nofile: 1024,
  },
  /** Root but for CAP_SYS_RAWIO, with little memory to lock. */
  {
    pid: 2,
    uid: 0,
    gid: 0,
    groups: [],
    capabilities: administrator.filter((name) => name !== 'CAP_IPC_LOCK'),
    memlock: 8192,
    nofile: 1024,
  },
  { pid: 3, uid: 1000, gid: 1000, groups: [1000], capabilities: [], memlock: 8192, nofile: 1024 },
  {
    pid: 4,
    uid: 1000,
    gid: 1000,
    groups: [],
    capabilities: ['CAP_SYS_RAWIO', 'CAP_DAC_OVERRIDE'],
    memlock: 65536,
    nofile: 1024,
  },
];

/** The same as the model has them. */
export function processesOf(all: readonly Actor[]): readonly Process[] {
  return all.map((actor) => ({
    ...actor,
    memlock: actor.memlock ?? null,
    capabilities: new Set(actor.capabilities),
  }));
}

/** As agent.c lays them out; whoever cannot choose addresses moves them (`moved`). */
export const regions: Regions = {
  writable: 0x6000_0000_0000n,
  untouched: 0x6200_0000_0000n,
  readOnly: 0x6100_0000_0000n,
  size: 0x2_0000n,
};
