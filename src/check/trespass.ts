import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import { isVfioDriver } from '../machine/drivers.ts';
import { type Address, isUnknown, type Snapshot } from '../machine/snapshot.ts';
import type { State } from '../model/state.ts';
import { step } from '../model/step.ts';
import { show } from '../model/view.ts';
import { applies } from '../policy/pattern.ts';
import type { Forbid } from '../policy/policy.ts';
import { nodeOf } from '../script/nodes.ts';
import { pid, rawio, trialOf } from './access.ts';
import { finalDriver, listed, type Subject } from './subject.ts';

type User = Exclude<Snapshot['users'], { readonly unknown: string }>[number];

/**
 * Whether a forbid is true: on the state in which the script ends, each user whom it names, by name or by a group that
 * he is a member of, tries to open the nodes of the functions. Words alone do not tell: a member of an allowed group, the
 * owner from an earlier day, and whoever is allowed another function of the same group all have the node.
 */
export function checkTrespass(
  subject: Subject,
  end: State,
  explained: ReadonlySet<Address>,
): readonly Diagnostic[] {
  const { users } = subject.snapshot;
  const forbids = subject.policy.forbids.filter(({ what }) => what === 'use');
  if (forbids.length === 0 || isUnknown(users)) return [];
  const nodes = nodesOf(subject, end, explained);
  const diagnostics: Diagnostic[] = [];
  for (const forbid of forbids) {
    const reached = new Map<string, { readonly user: User; readonly addresses: Address[] }>();
    const forbidden = users.filter((user) => user.uid !== 0 && isForbidden(subject.snapshot, forbid, user));
    for (const [node, addresses] of nodes) {
      const covered = addresses.filter((address) => forbid.functions?.includes(address) ?? true);
      if (covered.length === 0 || (forbid.via !== 'any' && forbid.via !== pathOf(node))) continue;
      const user = forbidden.find((each) => opens(subject, end, each, node));
      if (user) reached.set(node, { user, addresses: covered });
    }
    for (const [node, { user, addresses }] of reached)
      diagnostics.push(refusal(subject, end, forbid, user, node, addresses));
  }
  return diagnostics;
}

/** The nodes of the functions that are with a VFIO driver in the end, each with its functions. */
function nodesOf(
  subject: Subject,
  end: State,
  explained: ReadonlySet<Address>,
): ReadonlyMap<string, readonly Address[]> {
  const nodes = new Map<string, Address[]>();
  for (const fn of subject.functions.values()) {
    const driver = finalDriver(subject, fn);
    if (explained.has(fn.address) || isUnknown(driver) || driver === null || !isVfioDriver(driver)) continue;
    const node = nodeOf({ shows: (path) => show(subject.world, end, path) }, fn.address, 'any');
    if (node !== null) nodes.set(node, [...(nodes.get(node) ?? []), fn.address]);
  }
  return nodes;
}

function pathOf(node: string): 'group' | 'noiommu' {
  return node.includes('noiommu-') ? 'noiommu' : 'group';
}

function isForbidden({ userGroups }: Snapshot, { who }: Forbid, user: User): boolean {
  if (who?.kind === 'anyone') return true;
  if (who?.kind === 'user') return applies(who.name, user.name);
  if (who?.kind !== 'group') return false;
  const own = isUnknown(userGroups) ? undefined : userGroups.find(({ gid }) => gid === user.gid)?.name;
  return [...user.groups, ...(own === undefined ? [] : [own])].some((name) => applies(who.name, name));
}

function opens({ snapshot, world }: Subject, end: State, user: User, path: string): boolean {
  const { userGroups } = snapshot;
  const groups = isUnknown(userGroups) ? [] : userGroups.filter(({ name }) => user.groups.includes(name));
  // Who is forbidden could run a program that has the capability: only the node's owner and mode keep him out.
  const capabilities = new Set([rawio]);
  const gids = groups.map(({ gid }) => gid);
  const process = { pid, uid: user.uid, gid: user.gid, groups: gids, capabilities, memlock: 8 << 20 };
  return step(trialOf(world, process), end, { op: 'open', pid, path }).result.ok;
}

function refusal(
  { world, policy }: Subject,
  end: State,
  forbid: Forbid,
  user: User,
  node: string,
  addresses: readonly Address[],
): Diagnostic {
  const allows = policy.allows.filter(({ functions }) =>
    functions.some((address) => nodeOf({ shows: (path) => show(world, end, path) }, address, 'any') === node),
  );
  return report(
    'VP3108',
    forbid.place,
    { who: `user ${user.name}`, address: listed(addresses) },
    {
      related: allows.map(({ place, policy: by }) => ({
        place,
        message: `policy ${by} gives ${node} away here`,
      })),
      causes: [
        `${node} is ${show(world, end, node)}, and ${user.name} (${[user.uid, ...user.groups].join(', ')}) can open it`,
      ],
      cures: [
        'allow a group without that member, or a user, and only functions whose IOMMU group holds nothing forbidden',
        `where nobody is allowed: \`chown root:root ${node}\`, and look for the udev rule that gave it away`,
      ],
    },
  );
}
