import type { Place } from '../diagnostics/diagnostic.ts';
import { type Address, isUnknown } from '../machine/snapshot.ts';
import { ROOT } from '../model/world.ts';
import type { Allow, WhoMay } from '../policy/policy.ts';
import type { Draft } from './draft.ts';
import { containerPath, groupPath } from './paths.ts';
import { modeText } from './sentence.ts';

/** Who shall own one node, gathered from all statements that allow its use. */
interface Ownership {
  user?: { readonly name: string; readonly uid: number };
  group?: { readonly name: string; readonly gid: number };
  readonly why: Place[];
}

/**
 * Hands the nodes of the bound functions to those who may use them: a user gets 0600, a group 0660, both together
 * 0660. A virtual machine gets no step, since libvirt hands its nodes over itself; services and containers are given
 * theirs by systemd and the container engine. One node has one user and one group: that several are allowed is for
 * the checker to refuse, and the first in the order of their names is taken here.
 */
export function ownNodes(draft: Draft): void {
  const owners = new Map<string, Ownership>();
  for (const allow of inOrder(draft.policy.allows)) {
    const principal = principalOf(draft, allow);
    if (principal === null) continue;
    for (const address of allow.functions) {
      const node = nodeOf(draft, address, allow.via);
      if (node === null) continue;
      const ownership = owners.get(node) ?? { why: [] };
      owners.set(node, ownership);
      ownership.why.push(allow.place);
      if (principal.user !== undefined) ownership.user ??= principal.user;
      if (principal.group !== undefined) ownership.group ??= principal.group;
    }
  }
  openContainer(draft, owners);
  for (const [node, ownership] of owners) ownNode(draft, node, ownership);
}

/**
 * The node through which a process uses the function on this path, once it is bound: `/dev/vfio/7`,
 * `/dev/vfio/noiommu-0`. Null: it has none of that kind.
 */
export function nodeOf(draft: Pick<Draft, 'shows'>, address: Address, via: Allow['via']): string | null {
  const group = draft.shows(groupPath(address));
  if (group === null || via === 'iommufd') return null;
  const fake = `/dev/vfio/noiommu-${group}`;
  if (draft.shows(fake) !== null) return via === 'group' ? null : fake;
  const real = `/dev/vfio/${group}`;
  return via === 'noiommu' || draft.shows(real) === null ? null : real;
}

function ownNode(draft: Draft, node: string, { user, group, why }: Ownership): void {
  const uid = user?.uid ?? 0;
  const gid = group?.gid ?? 0;
  const mode = group === undefined ? 0o600 : 0o660;
  if (draft.shows(node) === `${mode.toString(8)} ${uid}:${gid}`) return;
  relyOnNode(draft, node, why);
  const heirs = [
    ...(user === undefined ? [] : [`user ${user.name}`]),
    ...(group === undefined ? [] : [`group ${group.name}`]),
  ].join(' and ');
  const sentence = `give ${node} to ${heirs} (${uid}:${gid}, mode ${modeText(mode)})`;
  draft.add({ op: 'node.own', pid: ROOT, path: node, uid, gid, mode }, [...new Set(why)], sentence);
}

/**
 * The container node does nothing by itself, and the kernel makes it 0666 (drivers/vfio/container.c, 6.12); a
 * machine where it was closed would refuse every user who is allowed a group.
 */
function openContainer(draft: Draft, owners: ReadonlyMap<string, Ownership>): void {
  const others = [...owners.values()].filter(({ user, group }) => user?.uid !== 0 || group !== undefined);
  const shown = draft.shows(containerPath);
  if (others.length === 0 || shown === null) return;
  const [mode = '', owner = ''] = shown.split(' ');
  if ((Number.parseInt(mode, 8) & 0o006) === 0o006) return;
  const [uid = 0, gid = 0] = owner.split(':').map(Number);
  const why = [...new Set(others.flatMap((each) => each.why))];
  draft.add(
    { op: 'node.own', pid: ROOT, path: containerPath, uid, gid, mode: 0o666 },
    why,
    `open ${containerPath} to every user, as the kernel makes it (mode 0666)`,
  );
}

function principalOf(draft: Draft, allow: Allow): Pick<Ownership, 'user' | 'group'> | null {
  const { kind, name } = allow.who;
  const { users, userGroups } = draft.policy.snapshot;
  if (kind === 'user') {
    if (isUnknown(users)) return unknownPrincipal(draft, allow, `/users/${name}`, users.unknown);
    const user = users.find((each) => each.name === name);
    return user === undefined ? null : { user };
  }
  if (kind === 'group') {
    if (isUnknown(userGroups))
      return unknownPrincipal(draft, allow, `/userGroups/${name}`, userGroups.unknown);
    const group = userGroups.find((each) => each.name === name);
    return group === undefined ? null : { group };
  }
  return null;
}

/** Without its number nothing can be given to a principal: the plan has to be made again once it is known. */
function unknownPrincipal(draft: Draft, { who, place }: Allow, fact: string, unknown: string): null {
  draft.need({ fact, sentence: `the number of ${described(who)} is known`, unknown, why: [place] });
  return null;
}

function relyOnNode(draft: Draft, node: string, why: readonly Place[]): void {
  const { nodes } = draft.policy.snapshot;
  const shown = draft.shows(node);
  if (!isUnknown(nodes) || shown === null) return;
  draft.need({
    fact: `/nodes/${node}`,
    sentence: `${node} has the owner and mode that the kernel gives it (${shown})`,
    unknown: nodes.unknown,
    expects: [shown, null],
    why: [...new Set(why)],
  });
}

function described({ kind, name }: WhoMay): string {
  return kind === 'anyone' ? 'everybody' : `${kind} ${name}`;
}

function inOrder(allows: readonly Allow[]): readonly Allow[] {
  const key = ({ who, device }: Allow): string => `${who.kind}\0${who.name}\0${device}`;
  return [...allows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
