/**
 * The shortest sequence that still differs: runs of steps are dropped, halves first, then single ones, until none can go.
 * Then arguments are made simpler, one at a time, until none can be.
 */
import type { Sequence } from './sequence.ts';
import { simpler } from './simpler.ts';

type Differs = (candidate: Sequence) => Promise<boolean>;

/** Simpler arguments are tried so often at most, for each costs a run on a kernel. */
const patience = 300;

export async function shrink(sequence: Sequence, differs: Differs): Promise<Sequence> {
  const dropped = await fewer(sequence, differs);
  const plain = await plainer(dropped, differs);
  return plain === dropped ? dropped : fewer(plain, differs);
}

async function fewer(sequence: Sequence, differs: Differs): Promise<Sequence> {
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

/** From the last step on, which is mostly the one that differs. */
async function plainer(sequence: Sequence, differs: Differs): Promise<Sequence> {
  let now = sequence;
  let tried = 0;
  for (let place = now.length - 1; place >= 0; place -= 1) {
    for (let again = true; again && tried < patience; ) {
      again = false;
      const step = now[place];
      if (step === undefined) break;
      for (const candidate of simpler(step)) {
        const all = [...now.slice(0, place), candidate, ...now.slice(place + 1)];
        tried += 1;
        if (!(await differs(all))) {
          if (tried >= patience) break;
          continue;
        }
        now = all;
        again = true;
        break;
      }
    }
  }
  return now;
}
