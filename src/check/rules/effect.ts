import { removal } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import type { Allow, Bind, Create } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import type { Subject } from '../subject.ts';

/** Statements that could be removed without a change: most often the writer meant something else. */
export function* effect(subject: Subject): Iterable<Finding> {
  const { policy } = subject;
  const cures = ['remove the statement, or correct what it names'];
  const bound = new Map<string, Bind>();
  for (const bind of policy.binds) {
    const repeated =
      bind.functions.length > 0 &&
      bind.functions.every((address) => {
        const earlier = bound.get(address);
        return earlier !== undefined && earlier.driver(address) === bind.driver(address);
      });
    const other = bound.get(bind.functions[0] ?? '');
    if (repeated && other) {
      const reason = 'another statement binds the same functions to the same driver';
      const related = [{ place: other.place, message: 'the other statement' }];
      const fixes = [removal(bind.place, 'the statement')];
      yield found(report('VP3126', bind.place, { reason }, { related, cures, fixes }));
    }
    for (const address of bind.functions) if (!bound.has(address)) bound.set(address, bind);
  }
  yield* repeatedCreates(subject);
  for (const { who, place } of policy.forbids) {
    if (who === undefined || who.capabilities.length === 0) continue;
    const reason = 'who is forbidden a device is forbidden it with every capability';
    yield found(report('VP3126', place, { reason }, { cures: ['leave `with …` out'] }));
  }
  const allowed = new Map<string, Allow>();
  for (const allow of policy.allows) {
    // A set that is empty on this host was counted so.
    if (allow.functions.length === 0 && policy.devices.has(allow.device)) continue;
    if (allow.functions.length === 0) {
      const reason = 'no policy of this host binds a device to a VFIO driver';
      yield found(report('VP3126', allow.place, { reason }, { cures }));
      continue;
    }
    const key = `${allow.who.kind} ${allow.who.name} ${allow.via} ${allow.functions.join(' ')}`;
    const other = allowed.get(key);
    if (!other) allowed.set(key, allow);
    else {
      const related = [{ place: other.place, message: 'the other statement' }];
      const fixes = [removal(allow.place, 'the statement')];
      const reason = 'the same is allowed elsewhere';
      yield found(report('VP3126', allow.place, { reason }, { related, cures, fixes }));
    }
  }
}

function* repeatedCreates({ policy }: Subject): Iterable<Finding> {
  const created = new Map<string, Create>();
  for (const create of policy.creates) {
    const earlier = create.functions.map((address) => created.get(address));
    const [other] = earlier;
    if (other !== undefined && earlier.every((each) => each?.count === create.count)) {
      const reason = 'another statement creates the same virtual functions';
      const related = [{ place: other.place, message: 'the other statement' }];
      const cures = ['remove the statement, or correct what it names'];
      const fixes = [removal(create.place, 'the statement')];
      yield found(report('VP3126', create.place, { reason }, { related, cures, fixes }));
    }
    for (const address of create.functions) if (!created.has(address)) created.set(address, create);
  }
}
