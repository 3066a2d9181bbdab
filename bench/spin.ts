import { readFileSync } from 'node:fs';
import { explore } from '../src/model/explore/explore.ts';
import { movesIn } from '../test/second-opinion/moves.ts';
import { checker, type Searched, search } from '../test/second-opinion/spin.ts';
import { type Bounds, type Kernel, worldOf } from '../test/second-opinion/world.ts';

// The exhaustive exploration of one world, `raced` in test/second-opinion/bounds.json, by the model's explorer and by
// SPIN, turn about, in seconds of a processor: the best of each tells what it can do, whatever else the machine does.
// SPIN's checker is compiled with optimisation before; compiling is not counted.

const rounds = 3;

export async function race(): Promise<void> {
  const { raced }: { raced: Bounds } = JSON.parse(
    readFileSync(new URL('../test/second-opinion/bounds.json', import.meta.url), 'utf8'),
  );
  for (const kernel of raced.kernels) {
    console.log(
      `Node ${process.versions.node}, ${process.arch}; ${kernel}, ${raced.name}; best of ${rounds}`,
    );
    const ours: Searched[] = [];
    const theirs: Searched[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(walk(raced, kernel));
      theirs.push(await search(checker(raced, kernel, false), () => {}));
    }
    const [model, spin] = [best(ours), best(theirs)];
    say('the model', model);
    say('SPIN', spin);
    if (model.states !== spin.states) throw new Error('they did not walk the same world');
    console.log(`model : SPIN   ${(spin.seconds / model.seconds).toFixed(2)} : 1, in states per second`);
  }
}

function walk(bounds: Bounds, kernel: Kernel): Searched {
  const { world, initial } = worldOf(bounds, kernel);
  const from = process.cpuUsage();
  const alphabet = movesIn(bounds, world);
  const { states, transitions, complete } = explore({ world, initial, alphabet, laws: [] });
  if (!complete) throw new Error('the exploration was not complete');
  const { user, system } = process.cpuUsage(from);
  return { states, transitions, seconds: (user + system) / 1_000_000 };
}

function best(runs: readonly Searched[]): Searched {
  return runs.reduce((a, b) => (b.seconds < a.seconds ? b : a));
}

function say(who: string, { states, transitions, seconds }: Searched): void {
  const rate = (count: number) => Math.round(count / seconds).toLocaleString('en');
  const all = `${states.toLocaleString('en')} states, ${transitions.toLocaleString('en')} transitions`;
  console.log(
    `${who.padEnd(10)} ${all} in ${seconds.toFixed(2)} s: ${rate(states)} states/s, ${rate(transitions)} transitions/s`,
  );
}
