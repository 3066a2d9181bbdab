import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import { timeText } from '../../src/policy/describe.ts';
import { confirm, expire } from '../execute/revert.ts';
import { type Ending as Execution, placeOf, readHistory } from '../execute/run.ts';
import { acting, journals } from './acting.ts';
import type { Invocation } from './invocation.ts';
import type { Person } from './io.ts';
import { progressOn } from './progress.ts';

/** What waits to be confirmed stays. */
export function letStay(invocation: Invocation): Promise<Execution> {
  return acting(invocation, (backend, options) => confirm(backend, journals(invocation), options));
}

/** How often it is looked whether another session has confirmed, in milliseconds. */
const glance = 500;

/** Waits for somebody to confirm what was done, here or in another session, and takes it back when nobody does. */
export async function hold(
  invocation: Invocation,
  done: Execution,
  seconds: number,
  person: Person,
): Promise<Execution> {
  const { io } = invocation;
  const { generation } = done;
  if (done.verdict !== 'held' || generation === null) return done;
  const end = io.elapsed() + seconds * 1000;
  io.stderr.write(
    `Generation ${generation} is done. It is taken back in ${timeText(seconds)}, unless you type yes and Enter here or run \`vfioplan confirm\` elsewhere.\n`,
  );
  const progress = progressOn(io);
  try {
    for (;;) {
      const left = end - io.elapsed();
      progress.now(`taken back in ${Math.ceil(left / 1000)} s unless it is confirmed`);
      const answer = left > 0 ? await person.answer(Math.min(left, glance)) : 'nothing';
      if (answer === 'yes') {
        const kept = await letStay(invocation);
        if (kept.verdict === 'done') return { ...done, verdict: 'done' };
        return await giveUp(invocation, generation, person, kept.diagnostics);
      }
      if (answer === 'end') {
        const reason = 'the program was asked to end before';
        return await giveUp(invocation, generation, person, [unconfirmed(generation, reason)]);
      }
      const verdict = verdictOf(invocation, generation);
      if (verdict === 'done') return { ...done, verdict };
      if (verdict !== null) return taken(generation, verdict);
      if (end - io.elapsed() > 0) continue;
      const reason = `nobody did within ${timeText(seconds)}`;
      return await giveUp(invocation, generation, person, [unconfirmed(generation, reason)]);
    }
  } finally {
    progress.end();
  }
}

/** Takes it back. Whoever has the lock meanwhile, or the disk in the way, is waited for: it is not left as it is. */
async function giveUp(
  invocation: Invocation,
  generation: number,
  person: Person,
  why: readonly Diagnostic[],
): Promise<Execution> {
  for (let tries = 1; ; tries += 1) {
    const back = await acting(invocation, (backend, options) =>
      expire(backend, journals(invocation), options, generation),
    );
    if (back.verdict === 'done') return back;
    if (back.verdict !== 'refused') return { ...back, diagnostics: [...why, ...back.diagnostics] };
    if (tries === patience)
      return { ...back, generation, verdict: 'incomplete', diagnostics: [...why, ...back.diagnostics] };
    await person.answer(glance);
  }
}

/** A minute. */
const patience = 120;

/** Somebody else has taken it back. */
function taken(generation: number, verdict: Execution['verdict']): Execution {
  const diagnostics = [unconfirmed(generation, 'another run took it back')];
  const predictions = { compared: 0, equal: 0 };
  return {
    verdict: verdict === 'incomplete' ? verdict : 'rolled back',
    generation,
    predictions,
    diagnostics,
  };
}

function unconfirmed(generation: number, reason: string): Diagnostic {
  const cures = ['look whether you still reach the machine while it waits, and confirm it then'];
  return report('VP6016', placeOf(generation), { generation, reason }, { cures });
}

/** How the generation has ended; null: it has not, or its journal cannot be read just now. */
function verdictOf(invocation: Invocation, generation: number): Execution['verdict'] | null {
  const read = readHistory(journals(invocation), generation);
  return 'diagnostics' in read ? null : (read.history?.verdict ?? null);
}
