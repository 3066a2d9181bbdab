import { logOf } from '../../../src/model/log.ts';
import type { Op } from '../../../src/model/op.ts';
import { step } from '../../../src/model/step.ts';
import { ueventsOf } from '../../../src/model/uevents.ts';
import type { Session } from './session.ts';

/** What a step tells the log and udev. */
export function told(
  s: Session,
  op: Op,
): { readonly log: readonly string[]; readonly uevents: readonly string[] } {
  const before = s.state;
  s.call(op);
  const outcome = step(s.world, before, op);
  return {
    log: logOf(s.world, before, op, outcome, 'test'),
    uevents: ueventsOf(s.world, before, op, s.state).map(
      ({ action, subsystem, name }) => `${action} ${subsystem} ${name}`,
    ),
  };
}
