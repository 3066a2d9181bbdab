import { nobodys, processOf } from '../../src/check/principals.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { errnoOf } from '../abi/errno.ts';
import { fcntl } from '../abi/fcntl.ts';
import type { Backend, Credentials } from '../backend.ts';
import { credentialsOf } from '../kernel/credentials.ts';

/** One process trying to open one node on the rehearsed machine. */
export interface Trial {
  /** `user dpdk`, or `a stranger`. */
  readonly who: string;
  readonly device: string;
  readonly node: string;
  /** null: it was opened; otherwise the name of the errno. */
  readonly errno: string | null;
}

/**
 * What the plan promises, tried: each user and group that may use a device opens its nodes, and so does a stranger,
 * who must be refused. Virtual machines, services and containers get their nodes from what starts them, so they have
 * no process here.
 */
export function tryAccess(
  plan: Plan,
  snapshot: Snapshot,
  spawn: (credentials: Credentials) => Pick<Backend, 'open' | 'close'>,
): readonly Trial[] {
  const trials: Trial[] = [];
  for (const { who, device, nodes, needs } of plan.access) {
    const capabilities = needs.filter((need) => /^CAP_[A-Z_]+$/.test(need));
    const [kind, ...words] = who.split(' ');
    const name = words.join(' ');
    const process =
      kind === 'user' || kind === 'group' ? processOf(snapshot, { kind, name, capabilities }, []) : null;
    for (const node of nodes) {
      if (process !== null)
        trials.push({ who, device, node, errno: open(spawn(credentialsOf(process)), node) });
      trials.push({ who: 'a stranger', device, node, errno: open(spawn(stranger), node) });
    }
  }
  return trials;
}

const stranger = credentialsOf(nobodys);

function open(process: Pick<Backend, 'open' | 'close'>, node: string): string | null {
  const answer = process.open(node, fcntl.O_RDWR | fcntl.O_CLOEXEC);
  if (answer >= 0) process.close(answer);
  return errnoOf(answer);
}
