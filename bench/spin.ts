import { readFileSync } from 'node:fs';
import { explore } from '../src/model/explore/explore.ts';
import { movesIn } from '../test/second-opinion/moves.ts';
import { checker, type Searched, search } from '../test/second-opinion/spin.ts';
import { type Bounds, type Kernel, worldOf } from '../test/second-opinion/world.ts';

// The exhaustive exploration of the worlds `raced` in test/second-opinion/bounds.json, by the model's explorer and by SPIN,
// turn about, in seconds of a processor: the best of each tells what it can do, whatever else the machine does, and the
// first of ours what it takes with all that V8 has to compile. SPIN's checker is compiled with optimisation before;
// compiling is not counted.

const rounds = 3;

export async function race(): Promise<void> {
  const { raced }: { raced: readonly Bounds[] } = JSON.parse(
    readFileSync(new URL('../test/second-opinion/bounds.json', import.meta.url), 'utf8'),
  );
  for (const bounds of raced) for (const kernel of bounds.kernels) await raceIn(bounds, kernel);
}

async function raceIn(bounds: Bounds, kernel: Kernel): Promise<void> {
  console.log(`Node ${process.versions.node}, ${process.arch}; ${kernel}, ${bounds.name}; best of ${rounds}`);
  const ours: Searched[] = [];
  const theirs: Searched[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(walk(bounds, kernel));
    theirs.push(await search(checker(bounds, kernel, false), () => {}));
  }
  const [model, spin] = [best(ours), best(theirs)];
  say('first', ours[0] ?? model);
  say('the model', model);
  say('SPIN', spin);
  // SPIN counts the initial state as a transition, too.
  if (!agree(model.states, spin.states) || !agree(model.transitions + 1, spin.transitions))
    throw new Error('they did not walk the same world');
  console.log(`model : SPIN   ${(spin.seconds / model.seconds).toFixed(2)} : 1, in states per second`);
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

/** Of SPIN's number the first eight digits are told. */
function agree(ours: number, theirs: number): boolean {
  return Number(ours.toPrecision(8)) === theirs;
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
