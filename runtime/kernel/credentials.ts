import type { Process } from '../../src/model/state.ts';
import type { Credentials } from '../backend.ts';

/** Who a process of the model is, as the simulated kernel takes it. */
export function credentialsOf({
  uid,
  gid,
  groups,
  capabilities,
  memlock,
}: Omit<Process, 'pid'>): Credentials {
  return { uid, gid, groups, capabilities: [...capabilities], memlock };
}
