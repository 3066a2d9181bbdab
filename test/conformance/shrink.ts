/** The shortest sequence that still differs: runs of steps are dropped, halves first, then single ones, until none can go. */
import type { Sequence } from './sequence.ts';

export async function shrink(
  sequence: Sequence,
  differs: (candidate: Sequence) => Promise<boolean>,
): Promise<Sequence> {
  let now = sequence;
  for (let size = Math.ceil(now.length / 2); size >= 1; ) {
    let dropped = false;
    for (let from = 0; from < now.length; ) {
      const candidate = [...now.slice(0, from), ...now.slice(from + size)];
      if (candidate.length > 0 && (await differs(candidate))) {
        now = candidate;
        dropped = true;
      } else from += size;
    }
    if (size === 1 && !dropped) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return now;
}
