import { parseArgs } from 'node:util';
import type { PciFunction } from '../../src/machine/snapshot.ts';
import { type Explored, explore } from '../../src/model/explore/explore.ts';
import { laws } from '../../src/model/laws.ts';
import { type ProfileId, profileIds } from '../../src/model/profiles.ts';
import { symmetriesOf } from '../../src/model/symmetry.ts';
import { alphabet, type Bounds, boundedWorld, withGuest } from '../src/model/bounded.ts';
import { functionAt, user } from '../src/model/machine.ts';

/** What a world is made of, and how much of it may be open at once. */
const parameters = {
  kernel: { type: 'string', default: '6.12' },
  /** Devices with an IOMMU group of their own. */
  devices: { type: 'string', default: '2' },
  /** Devices that share one more IOMMU group. */
  shared: { type: 'string', default: '0' },
  /** Devices without an IOMMU group. */
  groupless: { type: 'string', default: '1' },
  containers: { type: 'string', default: '1' },
  'group-files': { type: 'string', default: '2' },
  'device-files': { type: 'string', default: '1' },
  /** Processes without CAP_SYS_RAWIO, which may open every node. */
  users: { type: 'string', default: '1' },
  maps: { type: 'boolean', default: false },
  passes: { type: 'boolean', default: false },
  guests: { type: 'boolean', default: false },
  limit: { type: 'string', default: '2000000' },
} as const;

/** Explores the world that the arguments describe twice, prints what it found, and answers the exit code. */
export function main(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: parameters });
  const number = (name: keyof typeof parameters) => Number(values[name]);
  const profile = profileIds.find((id) => id === values.kernel);
  if (profile === undefined) {
    console.error(`no such kernel: ${values.kernel}; there are ${profileIds.join(', ')}`);
    return 2;
  }
  const users = Array.from({ length: number('users') }, (_, place) => ({ ...user, pid: user.pid + place }));
  const functions = functionsOf(number('devices'), number('shared'), number('groupless'));
  const bounds: Bounds = {
    containers: number('containers'),
    groupFiles: number('group-files'),
    deviceFiles: number('device-files'),
    others: users.map(({ pid }) => pid),
    passes: values.passes,
    maps: values.maps,
    ...(values.guests ? { guests: 'there' as const, negative: true } : {}),
  };
  const grouped = functions.some(({ iommuGroup }) => iommuGroup !== null);
  const bare = boundedWorld(profile as ProfileId, functions, grouped, users);
  const { world, initial } = values.guests ? withGuest(bare) : bare;
  const symmetries = symmetriesOf(world, initial, bounds.others);
  const limit = number('limit');
  const walked = [[], symmetries].map((some) => {
    const from = performance.now();
    const explored = explore({
      world,
      initial,
      alphabet: alphabet(bounds, world),
      laws,
      symmetries: some,
      limit,
    });
    say(explored, some.length + 1, performance.now() - from);
    return explored;
  });
  return walked.every(({ broken }) => broken === null) ? 0 : 1;
}

function say(
  { states, transitions, complete, broken }: Explored,
  orders: number,
  milliseconds: number,
): void {
  const seconds = milliseconds / 1000;
  const told = [
    orders === 1 ? 'every state' : `of ${orders} states that only names tell apart, one`,
    `${states.toLocaleString('en')} states, ${transitions.toLocaleString('en')} transitions`,
    `${seconds.toFixed(1)} s, ${Math.round(states / seconds).toLocaleString('en')} states/s`,
    complete ? 'complete' : broken === null ? 'stopped at the limit' : '',
    broken === null ? 'every law holds' : `${broken.law.id} is broken: ${broken.law.statement}`,
  ];
  console.log(told.filter((part) => part !== '').join('; '));
  for (const { op, result } of broken?.trace ?? []) {
    const text = JSON.stringify(op, (_key, value) => (typeof value === 'bigint' ? `${value}` : value));
    console.log(`  ${text} -> ${JSON.stringify(result)}`);
  }
}

function functionsOf(own: number, shared: number, groupless: number): readonly PciFunction[] {
  const groups = [
    ...Array.from({ length: own }, (_, place) => 10 + place),
    ...Array.from({ length: shared }, () => 9),
    ...Array.from({ length: groupless }, () => null),
  ];
  return groups.map((iommuGroup, place) =>
    functionAt(`0000:${(place + 1).toString(16).padStart(2, '0')}:00.0`, { iommuGroup }),
  );
}
