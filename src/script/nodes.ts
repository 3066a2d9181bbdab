import type { Place } from '../diagnostics/diagnostic.ts';
import { type Address, isUnknown, type Snapshot, type Unknown } from '../machine/snapshot.ts';
import { ROOT } from '../model/world.ts';
import type { Allow, WhoMay } from '../policy/policy.ts';
import type { Draft } from './draft.ts';
import { containerPath, iommuPath, isCdev } from './paths.ts';
import type { PutBack } from './put-back.ts';
import { asBefore, modeText } from './sentence.ts';
import { nodeOf, wayOf } from './ways.ts';

/** Who shall own one node, gathered from all statements that allow its use. */
interface Ownership {
  user?: { readonly name: string; readonly uid: number };
  group?: { readonly name: string; readonly gid: number };
  /** The function whose node it is, where the kernel hands out the number in its name. */
  readonly of?: Address;
  readonly why: Place[];
}

/**
 * Hands the nodes of the bound functions to those who may use them: a user gets 0600, a group 0660, both together
 * 0660. A virtual machine gets no step, since libvirt hands its nodes over itself; services and containers are given
 * theirs by systemd and the container engine. One node has one user and one group: that several are allowed is for
 * the checker to refuse, and the first in the order of their names is taken here.
 */
export function ownNodes(draft: Draft): ReadonlySet<string> {
  const owners = new Map<string, Ownership>();
  const contained: Ownership[] = [];
  const iommufd: Ownership[] = [];
  for (const allow of inOrder(draft.policy.allows)) {
    const principal = principalOf(draft, allow);
    if (principal === null) continue;
    for (const address of allow.functions) {
      const way = wayOf(draft.world, allow, address);
      const node = nodeOf(draft, address, way);
      if (node === null) continue;
      if (way === 'iommufd') {
        relyOnNumbers(draft, allow);
        iommufd.push({ ...principal, why: [allow.place] });
      } else contained.push({ ...principal, why: [allow.place] });
      const ownership = owners.get(node) ?? { why: [], ...(way === 'group' ? {} : { of: address }) };
      owners.set(node, ownership);
      ownership.why.push(allow.place);
      if (principal.user !== undefined) ownership.user ??= principal.user;
      if (principal.group !== undefined) ownership.group ??= principal.group;
    }
  }
  openContainer(draft, contained);
  openIommufd(draft, iommufd);
  // Where nobody tells which vfioX is whose, the path is a guess, and nothing is given away by a guess.
  const guessed = (node: string) => draft.world.strangers === null && isCdev(node);
  for (const [node, ownership] of owners) if (!guessed(node)) ownNode(draft, node, ownership);
  return new Set([
    ...owners.keys(),
    ...(contained.length > 0 ? [containerPath] : []),
    ...(iommufd.length > 0 ? [iommuPath] : []),
  ]);
}

/**
 * Takes nodes from those to whom an earlier plan gave them and nobody allows them any more. Whose a node is by now without
 * being the one of that plan, nobody asks.
 */
export function giveNodesBack(draft: Draft, { nodes }: PutBack, owned: ReadonlySet<string>): void {
  for (const { path: then, of, identity, found, left, generation } of nodes) {
    // Another device at the address: what was given to whom is nothing of it.
    if (of !== undefined && identity !== null && identity !== draft.identityOf(of)) continue;
    const path = of === undefined ? then : draft.nodeNow(then, of);
    if (path === null || owned.has(path) || found === null || draft.shows(path) !== left) continue;
    const node = { path, ...(of === undefined ? {} : { of }) };
    const op = { op: 'node.own', pid: ROOT, ...node, ...nodeOfText(found) } as const;
    draft.add(op, [], `${draft.sentence(op)}${asBefore(generation)}`);
  }
}

/** `660 0:1000`, as a node is shown. */
function nodeOfText(shown: string): { readonly uid: number; readonly gid: number; readonly mode: number } {
  const [mode = '', owner = ''] = shown.split(' ');
  const [uid = 0, gid = 0] = owner.split(':').map(Number);
  return { uid, gid, mode: Number.parseInt(mode, 8) };
}

/** Without the numbers that are taken nobody can say which node is the function's. */
function relyOnNumbers(draft: Draft, { place }: Allow): void {
  if (draft.world.strangers !== null) return;
  const { vfioDevices } = draft.policy.snapshot;
  const unknown =
    vfioDevices !== undefined && isUnknown(vfioDevices) ? vfioDevices.unknown : 'it is not told';
  draft.need({ fact: '/vfioDevices', sentence: 'it is known which vfioX are taken', unknown, why: [place] });
}

function ownNode(draft: Draft, node: string, { user, group, of, why }: Ownership): void {
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
  const path = { path: node, ...(of === undefined ? {} : { of }) };
  draft.add({ op: 'node.own', pid: ROOT, ...path, uid, gid, mode }, [...new Set(why)], sentence);
}

/**
 * The container node does nothing by itself, and the kernel makes it 0666 (drivers/vfio/container.c, 6.12); a
 * machine where it was closed would refuse every user who is allowed a group.
 */
function openContainer(draft: Draft, owners: readonly Ownership[]): void {
  const others = owners.filter(({ user, group }) => user?.uid !== 0 || group !== undefined);
  const shown = draft.shows(containerPath);
  if (others.length === 0 || shown === null) return;
  const { uid, gid, mode } = nodeOfText(shown);
  if ((mode & 0o006) === 0o006) return;
  const why = [...new Set(others.flatMap((each) => each.why))];
  draft.add(
    { op: 'node.own', pid: ROOT, path: containerPath, uid, gid, mode: 0o666 },
    why,
    `open ${containerPath} to every user, as the kernel makes it (mode 0666)`,
  );
}

/**
 * /dev/iommu leads to no device by itself, but the kernel keeps it to root (mode 0660, drivers/iommu/iommufd/main.c): it is
 * given to the one user and the one group that need it, and opened where they are several.
 */
function openIommufd(draft: Draft, owners: readonly Ownership[]): void {
  const users = new Map(owners.flatMap(({ user }) => (user === undefined ? [] : [[user.uid, user]])));
  const groups = new Map(owners.flatMap(({ group }) => (group === undefined ? [] : [[group.gid, group]])));
  const [[user] = [], [group] = []] = [[...users.values()], [...groups.values()]];
  if (draft.shows(iommuPath) === null || (user === undefined && group === undefined)) return;
  const why = [...new Set(owners.flatMap((each) => each.why))];
  if (users.size <= 1 && groups.size <= 1) {
    const given = { why, ...(user === undefined ? {} : { user }), ...(group === undefined ? {} : { group }) };
    ownNode(draft, iommuPath, given);
    return;
  }
  if (draft.shows(iommuPath)?.startsWith('666 ') === true) return;
  relyOnNode(draft, iommuPath, why);
  draft.add(
    { op: 'node.own', pid: ROOT, path: iommuPath, uid: 0, gid: 0, mode: 0o666 },
    why,
    `open ${iommuPath} to every user, as several need it (mode 0666)`,
  );
}

function principalOf(draft: Draft, allow: Allow): Owners | null {
  const owners = ownersOf(draft.policy.snapshot, allow.who);
  if (owners === null || !('unknown' in owners)) return owners;
  const { kind, name } = allow.who;
  const fact = kind === 'user' ? `/users/${name}` : `/userGroups/${name}`;
  return unknownPrincipal(draft, allow, fact, owners.unknown);
}

/** Who a node is given to by its number; null: to nobody, as virtual machines, services and containers bring their own. */
export type Owners = Pick<Ownership, 'user' | 'group'>;

export function ownersOf({ users, userGroups }: Snapshot, { kind, name }: WhoMay): Owners | Unknown | null {
  if (kind === 'user') {
    if (isUnknown(users)) return users;
    const user = users.find((each) => each.name === name);
    return user === undefined ? null : { user };
  }
  if (kind === 'group') {
    if (isUnknown(userGroups)) return userGroups;
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

/** One node has one user and one group: the first in this order. */
export function inOrder(allows: readonly Allow[]): readonly Allow[] {
  const key = ({ who, device, via }: Allow): string => `${who.kind}\0${who.name}\0${device}\0${via}`;
  return [...allows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
