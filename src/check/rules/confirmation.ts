import { oneOfTwo } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { timeText } from '../../policy/describe.ts';
import type { Confirm } from '../../policy/policy.ts';
import { type Finding, found } from '../finding.ts';
import type { Subject } from '../subject.ts';

/**
 * `confirm within …`: a plan is carried out, and waits to be confirmed, as a whole: one host has one answer. Each answer
 * but the shortest is told once, whatever the order of those who give it.
 */
export function* confirmation({ policy: { confirms } }: Subject): Iterable<Finding> {
  const answers = new Map<number, Confirm>();
  for (const confirm of confirms) if (!answers.has(confirm.seconds)) answers.set(confirm.seconds, confirm);
  const [shortest, ...others] = [...answers.values()].sort((a, b) => a.seconds - b.seconds);
  if (shortest === undefined) return;
  for (const other of others) yield conflict(shortest, other);
}

function conflict(first: Confirm, second: Confirm): Finding {
  const what = 'how long the plan waits to be confirmed';
  const said = timeText(first.seconds);
  return found(
    report(
      'VP3132',
      second.place,
      { what, first: said, second: timeText(second.seconds) },
      {
        related: [{ place: first.place, message: `policy ${first.policy} says ${said}` }],
        cures: ['say the same in both policies, or leave it to one of them'],
        fixes: oneOfTwo(second.place, first.place),
      },
    ),
  );
}
