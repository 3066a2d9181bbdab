import type { Fix } from '../../diagnostics/diagnostic.ts';
import { insertionAfter } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown, type Snapshot } from '../../machine/snapshot.ts';
import type { Allow } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { byAllow, describeWho, groupOf, listed, pathOf, type Subject, uses } from '../subject.ts';

const capability = 'CAP_SYS_RAWIO';

/**
 * A no-IOMMU group is opened by processes with CAP_SYS_RAWIO only. `with CAP_SYS_RAWIO` is the author's claim that the
 * principal's process has it from elsewhere; a principal that is known not to have it is refused, one of whom nothing
 * is known becomes a precondition.
 */
export function* rawio(subject: Subject): Iterable<Finding> {
  // That the path does not exist for a function with a group is said elsewhere.
  const used = [...uses(subject)].filter(
    ({ allow, fn }) => pathOf(subject, allow, fn) === 'noiommu' && typeof groupOf(subject, fn) !== 'number',
  );
  for (const { allow, addresses } of byAllow(used)) {
    const { who, place } = allow;
    if (who.kind === 'vm' || who.kind === 'anyone' || who.capabilities.includes(capability)) continue;
    const has = capable(subject.snapshot, allow);
    if (has === true || has === null) continue;
    const name = describeWho(who);
    if (has !== false) {
      yield needed({ ...has, sentence: `processes of ${name} have ${capability}`, place });
      continue;
    }
    yield found(
      report(
        'VP4106',
        place,
        { who: name, address: listed(addresses) },
        {
          causes: [
            atLogin(who)
              ? `${name} has no capabilities when it logs in`
              : 'no snapshot tells the capabilities of services and containers: only the author can',
          ],
          cures: [
            `if its process gets the capability elsewhere, say so: \`allow ${name} with ${capability} to use …\``,
            'run it from a systemd unit with `AmbientCapabilities=CAP_SYS_RAWIO`',
          ],
          fixes: claim(allow),
          kernel: {
            step: 'open /dev/vfio/noiommu-N',
            guard: 'the group has no IOMMU and the process lacks CAP_SYS_RAWIO',
            errno: 'EPERM',
            citation: 'drivers/vfio/group.c vfio_group_fops_open (6.12)',
          },
        },
      ),
      addresses,
    );
  }
}

/** Where other capabilities are claimed, a person has to write one more. */
function claim({ who, whoPlace }: Allow): readonly Fix[] {
  return whoPlace && who.capabilities.length === 0 ? [insertionAfter(whoPlace, `with ${capability}`)] : [];
}

function atLogin({ kind }: Allow['who']): boolean {
  return kind === 'user' || kind === 'group';
}

/** Whether the principal has it at login; null: the principal is not there, which is said elsewhere. */
function capable(snapshot: Snapshot, { who }: Allow): boolean | null | { fact: string; unknown: string } {
  if (!atLogin(who)) return false;
  const { users } = snapshot;
  if (isUnknown(users)) return { fact: `/users/${who.name}/capabilities`, unknown: users.unknown };
  const those = users.filter((user) =>
    who.kind === 'user' ? user.name === who.name : user.groups.includes(who.name),
  );
  if (who.kind === 'user' && those.length === 0) return null;
  const unsure = those.find(({ capabilities }) => isUnknown(capabilities));
  if (unsure && isUnknown(unsure.capabilities))
    return { fact: `/users/${unsure.name}/capabilities`, unknown: unsure.capabilities.unknown };
  return those.some(
    ({ uid, capabilities }) => uid === 0 || (!isUnknown(capabilities) && capabilities.includes(capability)),
  );
}
