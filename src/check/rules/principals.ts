import { nameMeant, removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import type { Allow } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import { byAllow, describeWho, listed, type Subject, uses } from '../subject.ts';

/** Whether those who are allowed exist, are one, and can be given a node by vfioplan at all. */
export function* principals(subject: Subject): Iterable<Finding> {
  for (const { allow, addresses } of byAllow(uses(subject))) {
    const { kind, name } = allow.who;
    const who = describeWho(allow.who);
    if (kind === 'anyone' || name.includes('*')) {
      const cures = ['name who it is: `allow user NAME …`; several users share a device by a group'];
      const fixes = [removal(allow.place, 'the allow')];
      yield found(
        report('VP3125', allow.place, { who, address: listed(addresses) }, { cures, fixes }),
        addresses,
      );
    } else if (kind === 'user' || kind === 'group') yield* exists(subject, allow, addresses);
    else if (kind !== 'vm') {
      const cures = [
        kind === 'service'
          ? 'give the service a user with `User=` and allow that user, or add `DeviceAllow=` for the node to its unit'
          : 'pass the node to the container when it is started, for example with `--device`',
      ];
      yield found(report('VP3124', allow.place, { who, address: listed(addresses) }, { cures }), addresses);
    }
  }
}

function* exists(
  { policy, snapshot }: Subject,
  allow: Allow,
  addresses: readonly string[],
): Iterable<Finding> {
  const { kind, name } = allow.who;
  const known = kind === 'user' ? snapshot.users : snapshot.userGroups;
  const who = describeWho(allow.who);
  if (isUnknown(known)) {
    const fact = `/${kind === 'user' ? 'users' : 'userGroups'}/${name}`;
    yield needed({ fact, sentence: `${who} exists`, unknown: known.unknown, place: allow.place });
    return;
  }
  const names = known.map((each) => each.name);
  if (names.includes(name)) return;
  const meant = nameMeant(allow.whoPlace, name, names);
  yield found(
    report(
      'VP3117',
      allow.place,
      { who, host: policy.host },
      {
        cures: [...meant.cures, `make it with \`${kind}add ${name}\`, and take the snapshot again`],
        fixes: meant.fixes,
      },
    ),
    addresses,
  );
}
