import { readFileSync } from 'node:fs';
import { differs, type Explored, exploreAll, follow } from './compare.ts';
import { checker, search, simulate } from './spin.ts';
import type { Bounds, Kernel } from './world.ts';

const { compared }: { compared: readonly Bounds[] } = JSON.parse(
  readFileSync(new URL('bounds.json', import.meta.url), 'utf8'),
);

/** Walks of the simulator per world, and of how many of SPIN's steps: about forty make one of ours. */
const walks = 3;
const steps = 30_000;

const count = { passed: 0, failed: 0 };

function check(name: string, problems: readonly string[], note: string): void {
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${note}`);
  for (const problem of problems.slice(0, 12)) console.log(`       ${problem}`);
  count[problems.length === 0 ? 'passed' : 'failed'] += 1;
}

/** Compares both on every world of bounds.json; answers whether they agree everywhere. */
export async function compareAll(): Promise<boolean> {
  for (const bounds of compared) {
    for (const kernel of bounds.kernels) {
      const sound = await compareSearches(bounds, kernel);
      await compareWalks(bounds, kernel);
      plantDefects(bounds, kernel, sound);
    }
  }
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.failed === 0;
}

async function compareSearches(bounds: Bounds, kernel: Kernel): Promise<Explored> {
  const name = `${kernel}, ${bounds.name}`;
  const explored = exploreAll(bounds, kernel);
  const { transitions: ours, states } = explored;
  const searched = await search(checker(bounds, kernel, true), (line) => ours.hear(line));
  const agree = searched.states === ours.stateCount;
  check(
    `${name}, the same states`,
    agree ? [] : [`SPIN has ${searched.states}, the model ${ours.stateCount}`],
    `${ours.stateCount} (${states} to the explorer)`,
  );
  const answers = `${ours.count}, with ${ours.answers().size} answers to tell apart`;
  check(`${name}, every transition of the model is one of SPIN's`, ours.unheard(), answers);
  check(`${name}, every transition of SPIN's is one of the model`, ours.strange, `${searched.transitions}`);
  return explored;
}

/** Guards after which another gives the same answer to all that they refuse. */
const covered: Readonly<Record<string, string>> = {
  'group.get_device_fd.no-container': 'group.get_device_fd.no-iommu',
};

/** The comparison can fail: a model that lacks any other of the guards is not the one that SPIN agreed with. */
function plantDefects(bounds: Bounds, kernel: Kernel, { guards, transitions }: Explored): void {
  const wrong = [...guards].filter((guard) => {
    const expected = !(Object.hasOwn(covered, guard) && guards.has(covered[guard] ?? ''));
    return differs(bounds, kernel, guard, transitions) !== expected;
  });
  const name = `${kernel}, ${bounds.name}, a kernel that lacks a guard differs`;
  check(name, guards.size < 10 ? ['too few guards'] : wrong, `${guards.size} guards`);
}

async function compareWalks(bounds: Bounds, kernel: Kernel): Promise<void> {
  const problems: string[] = [];
  let moves = 0;
  for (let seed = 1; seed <= walks; seed += 1) {
    const lines = await simulate(bounds, kernel, seed, steps);
    moves += lines.length;
    const parted = follow(bounds, kernel, lines);
    if (parted !== null) problems.push(`seed ${seed}, ${parted}`);
  }
  if (moves < 100 * walks) problems.push('the walks are too short to say anything');
  check(`${kernel}, ${bounds.name}, SPIN's random walks`, problems, `${walks} of ${moves} moves together`);
}
