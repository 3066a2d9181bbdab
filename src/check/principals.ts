import { isUnknown, type Snapshot } from '../machine/snapshot.ts';
import type { Process } from '../model/state.ts';
import type { WhoMay } from '../policy/policy.ts';

export type User = Exclude<Snapshot['users'], { readonly unknown: string }>[number];

/** The process that tries: no other has this pid, and each trial starts from the same state. */
export const pid = 1;

export const rawio = 'CAP_SYS_RAWIO';

const nobody = 65534;

/**
 * A process that nobody is told of: nobody, as Linux numbers it (kernel/sys.c DEFAULT_OVERFLOWUID), with the memory that
 * it may lock by default, in bytes (include/uapi/linux/resource.h MLOCK_LIMIT, since 5.16).
 */
export const nobodys: Process = {
  pid,
  uid: nobody,
  gid: nobody,
  groups: [],
  capabilities: new Set(),
  memlock: 8 << 20,
};

/** A process of a user, in all groups of theirs that the snapshot tells, with these capabilities. */
export function processOfUser(
  userGroups: Snapshot['userGroups'],
  { uid, gid, groups }: User,
  capabilities: readonly string[],
): Process {
  const own = isUnknown(userGroups) ? [] : userGroups.filter(({ name }) => groups.includes(name));
  return { ...nobodys, uid, gid, groups: own.map((group) => group.gid), capabilities: new Set(capabilities) };
}

/**
 * The principal's process: what the snapshot tells of the user, and the capabilities that the policy says it has. A
 * virtual machine, service or container is handed its node by libvirt, systemd or the engine, so for them the node's
 * owner does not matter, and all that VFIO asks does. A group's process is any member's: login(1) leaves a member the
 * primary group of its own and gives it this one beside it (initgroups(3)), and to who may open a node the two are the
 * same (kernel/groups.c in_group_p). `assumed` are the capabilities of whom the snapshot tells none. Null:
 * the principal is not known, or is everybody.
 */
export function processOf(
  { users, userGroups }: Snapshot,
  who: WhoMay,
  assumed: readonly string[],
): Process | null {
  const claimed = new Set(who.capabilities);
  if (who.kind === 'user') {
    const user = isUnknown(users) ? undefined : users.find(({ name }) => name === who.name);
    if (!user) return null;
    const own = isUnknown(user.capabilities) ? assumed : user.capabilities;
    const all = user.uid === 0 ? [rawio, 'CAP_DAC_OVERRIDE'] : [];
    return processOfUser(userGroups, user, [...claimed, ...own, ...all]);
  }
  if (who.kind === 'group') {
    const group = isUnknown(userGroups) ? undefined : userGroups.find(({ name }) => name === who.name);
    if (!group) return null;
    return { ...nobodys, groups: [group.gid], capabilities: new Set([...claimed, ...assumed]) };
  }
  if (who.kind === 'anyone') return null;
  const started = who.kind === 'vm' ? [] : assumed;
  return { ...nobodys, capabilities: new Set([...claimed, 'CAP_DAC_OVERRIDE', ...started]) };
}
