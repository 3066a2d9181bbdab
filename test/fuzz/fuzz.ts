/** `npm run fuzz`: texts drawn by lot, sound, broken and senseless, through lexer, parser, formatter, resolver and checker. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { anyText } from '../grammar/texts.ts';
import { trial } from './trial.ts';

const usage = 'usage: npm run fuzz -- [--seed S] [--count N]';
const batch = 1000;

/** The exit code: 1 when a text was not borne, and then that text, made short, is in the corpus. */
export function main(args: readonly string[]): number {
  const options = { seed: { type: 'string' }, count: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const seed = Number(values.seed ?? 1);
  const count = Number(values.count ?? 100_000);
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count) || count < 1) {
    console.error(usage);
    return 1;
  }
  const from = performance.now();
  let done = 0;
  let longest = 0;
  for (let round = 0; done < count; round += 1) {
    const numRuns = Math.min(batch, count - done);
    const property = fc.property(anyText, (text) => {
      const begun = process.cpuUsage();
      const wrong = trial(text);
      const { user, system } = process.cpuUsage(begun);
      longest = Math.max(longest, (user + system) / 1000);
      if (wrong !== undefined) throw new Error(wrong);
    });
    const outcome = fc.check(property, { seed: seed + round, numRuns });
    if (outcome.failed) return keep(outcome.counterexample?.[0] ?? '', outcome.errorInstance, seed + round);
    done += numRuns;
    if (round % 10 === 9 || done === count) tell(done, from, longest);
  }
  return 0;
}

function tell(done: number, from: number, longest: number): void {
  const seconds = (performance.now() - from) / 1000;
  const rate = Math.round(done / seconds).toLocaleString('en');
  console.log(
    `${done.toLocaleString('en')} texts, ${rate} /s, the slowest took ${Math.round(longest)} ms: none threw, hung or lost a byte`,
  );
}

function keep(text: string, error: unknown, seed: number): number {
  const folder = join(import.meta.dirname, 'corpus');
  const file = join(folder, `seed-${seed}.vfio`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
  console.error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  console.error(`the text, made short: ${JSON.stringify(text)}\nkept as ${file}`);
  return 1;
}
