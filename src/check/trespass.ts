import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { removal } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { isVfioDriver } from '../machine/drivers.ts';
import { type Address, isUnknown, type Snapshot } from '../machine/snapshot.ts';
import type { State } from '../model/state.ts';
import { step } from '../model/step.ts';
import { show } from '../model/view.ts';
import { applies } from '../policy/pattern.ts';
import type { Forbid } from '../policy/policy.ts';
import { isCdev } from '../script/paths.ts';
import { nodeOf, nodesOf, viewOf, type Way, wayOf } from '../script/ways.ts';
import { trialOf } from './access.ts';
import { pid, processOfUser, rawio, type User } from './principals.ts';
import { finalDriver, listed, type Subject } from './subject.ts';

interface Trespass {
  readonly diagnostics: readonly Diagnostic[];
  /** What a forbidden user can open. */
  readonly nodes: ReadonlySet<string>;
}

/**
 * Whether a forbid is true: on the state in which the script ends, each user whom it names, by name or by a group that
 * he is a member of, tries to open the nodes of the functions. Words alone do not tell: a member of an allowed group, the
 * owner from an earlier day, and whoever is allowed another function of the same group all have the node.
 */
export function checkTrespass(subject: Subject, end: State, explained: ReadonlySet<Address>): Trespass {
  const { users } = subject.snapshot;
  const forbids = subject.policy.forbids.filter(({ what }) => what === 'use');
  if (forbids.length === 0 || isUnknown(users)) return { diagnostics: [], nodes: new Set() };
  const nodes = nodesAtEnd(subject, end, explained);
  const diagnostics: Diagnostic[] = [];
  const told = new Set<string>();
  for (const forbid of forbids) {
    const reached = new Map<string, { readonly user: User; readonly addresses: Address[] }>();
    const forbidden = users.filter((user) => user.uid !== 0 && isForbidden(subject.snapshot, forbid, user));
    for (const [node, addresses] of nodes) {
      const covered = addresses.filter((address) => forbid.functions?.includes(address) ?? true);
      if (covered.length === 0 || (forbid.via !== 'any' && forbid.via !== wayOfNode(node))) continue;
      const user = forbidden.find((each) => opens(subject, end, each, node));
      if (user) reached.set(node, { user, addresses: covered });
    }
    for (const [node, { user, addresses }] of reached) {
      told.add(node);
      diagnostics.push(refusal(subject, end, forbid, user, node, addresses));
    }
  }
  return { diagnostics, nodes: told };
}

/** The nodes of the functions that are with a VFIO driver in the end, each with its functions. */
function nodesAtEnd(
  subject: Subject,
  end: State,
  explained: ReadonlySet<Address>,
): ReadonlyMap<string, readonly Address[]> {
  const nodes = new Map<string, Address[]>();
  const view = viewOf(subject.world, end);
  for (const fn of subject.functions.values()) {
    const driver = finalDriver(subject, fn);
    if (explained.has(fn.address) || isUnknown(driver) || driver === null || !isVfioDriver(driver)) continue;
    for (const [, node] of nodesOf(view, fn.address)) {
      nodes.set(node, [...(nodes.get(node) ?? []), fn.address]);
    }
  }
  return nodes;
}

function wayOfNode(node: string): Way {
  if (isCdev(node)) return 'iommufd';
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
  // Who is forbidden could run a program that has the capability: only the node's owner and mode keep him out.
  const process = processOfUser(snapshot.userGroups, user, [rawio]);
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
  const view = viewOf(world, end);
  const allows = policy.allows.filter((allow) =>
    allow.functions.some((address) => nodeOf(view, address, wayOf(world, allow, address)) === node),
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
      fixes: allows.map(({ place, policy: by }) => removal(place, `the allow of policy ${by}`)),
      cures: [
        'allow a group without that member, or a user, and only functions whose IOMMU group holds nothing forbidden',
        `where nobody is allowed: \`chown root:root ${node}\`, and look for the udev rule that gave it away`,
      ],
    },
  );
}
