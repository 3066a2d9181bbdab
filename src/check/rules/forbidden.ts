import { removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { type Address, isUnknown, type Snapshot } from '../../machine/snapshot.ts';
import { applies } from '../../policy/pattern.ts';
import type { Allow, Forbid, WhoMay } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { describeWho, listed, pathOf, type Subject } from '../subject.ts';

/** An allowed use that is forbidden too. Forbid wins, so the allow can never be kept: both places are named. */
export function* forbidden(subject: Subject): Iterable<Finding> {
  for (const allow of subject.policy.allows) {
    for (const forbid of subject.policy.forbids) {
      const addresses = allow.functions.filter((address) => forbids(subject, forbid, allow, address));
      if (addresses.length === 0) continue;
      yield found(
        report(
          'VP3108',
          allow.place,
          { who: describeWho(allow.who), address: listed(addresses) },
          {
            related: [{ place: forbid.place, message: `policy ${forbid.policy} forbids it here` }],
            cures: ['remove the allow, or narrow the forbid: `unless host LABEL is "VALUE"`'],
            fixes: [removal(allow.place, 'the allow')],
          },
        ),
        addresses,
      );
      break;
    }
  }
}

/** Whether a forbid covers an allowed use of one function. */
export function forbids(subject: Subject, forbid: Forbid, allow: Allow, address: Address): boolean {
  const { what, who, functions, via } = forbid;
  const fn = subject.functions.get(address);
  if (what !== 'use' || !who || !covers(subject, who, allow.who)) return false;
  if (!fn || (functions && !functions.includes(address))) return false;
  const path = pathOf(subject, allow, fn);
  // A path that is not known may be the forbidden one.
  return via === 'any' || path === null || path === via;
}

/** A forbidden user must not come in by a group, nor the members of a forbidden group as users. */
function covers({ snapshot }: Subject, forbidden: WhoMay, allowed: WhoMay): boolean {
  if (forbidden.kind === 'anyone') return true;
  if (forbidden.kind === allowed.kind) return applies(forbidden.name, allowed.name);
  const users = membersOf(snapshot, forbidden.kind === 'user' ? allowed : forbidden);
  const named = forbidden.kind === 'user' ? forbidden : allowed;
  return named.kind === 'user' && users.some((name) => applies(named.name, name));
}

/** The users whom a snapshot knows to be in a group, by its number or by name. */
function membersOf({ users, userGroups }: Snapshot, { kind, name }: WhoMay): string[] {
  if (kind !== 'group' || isUnknown(users)) return [];
  const groups = isUnknown(userGroups) ? [] : userGroups.filter((group) => applies(name, group.name));
  const members = users.filter(
    (user) => user.groups.some((group) => applies(name, group)) || groups.some(({ gid }) => gid === user.gid),
  );
  return members.map((user) => user.name);
}

/** Who is in an allowed group decides whether a forbidden user comes in by it. */
export function* forbiddenMembers({ policy, snapshot }: Subject): Iterable<Finding> {
  const { users } = snapshot;
  if (!isUnknown(users)) return;
  for (const { who: allowed, place } of policy.allows) {
    for (const { who } of policy.forbids) {
      const pair = [allowed, who].map((one) => one?.kind).sort();
      if (!who || pair[0] !== 'group' || pair[1] !== 'user') continue;
      const [user, group] = who.kind === 'user' ? [who, allowed] : [allowed, who];
      const sentence = `user ${user.name} is not a member of group ${group.name}`;
      yield needed({ fact: `/users/${user.name}/groups`, sentence, unknown: users.unknown, place });
    }
  }
}
