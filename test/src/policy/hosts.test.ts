import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../../src/check/check.ts';
import { applies } from '../../../src/policy/pattern.ts';
import { resolve } from '../../../src/policy/resolve.ts';
import { readDocument } from '../../../src/syntax/read.ts';
import { machine } from '../../machines.ts';
import { seed } from '../../seed.ts';

const today = '2026-11-22';
const functions = [{ at: '03:00.0', id: '8086:1572', class: 'nic' }];

function hostsOf(text: string, machines: readonly [name: string, hostname: string][]) {
  const given = machines.map(([name, hostname]) => ({ name, snapshot: machine({ hostname, functions }) }));
  return check({ sources: [{ file: 'p.vfio', text }], machines: given, today });
}

test.each<[string, string, [string, string][], string[]]>([
  [
    'the host’s own name',
    'host a {}',
    [
      ['a', 'x'],
      ['b', 'y'],
    ],
    ['a', 'y'],
  ],
  [
    'the path after snapshot',
    'host a { snapshot "m/b.json" }',
    [
      ['m/b.json', 'x'],
      ['c', 'y'],
    ],
    ['a', 'y'],
  ],
  [
    'its hostname',
    'host a {}',
    [
      ['one.json', 'b'],
      ['two.json', 'a'],
    ],
    ['a', 'b'],
  ],
  ['being the only one', 'host a {}', [['one.json', 'elsewhere']], ['a']],
  [
    'a pattern',
    'host db-* { iommu any }',
    [
      ['db-1', 'x'],
      ['web', 'web'],
    ],
    ['db-1', 'web'],
  ],
  [
    'what a policy is for',
    'policy p on a {} policy q on * {}',
    [
      ['a', 'x'],
      ['c', 'y'],
    ],
    ['a', 'y'],
  ],
  [
    'nothing: a host of its own',
    '',
    [
      ['one.json', 'x'],
      ['two.json', 'x'],
    ],
    ['x', 'two.json'],
  ],
])('a machine is paired by %s', (_, text, machines, hosts) => {
  expect(hostsOf(text, machines).hosts.map(({ host }) => host)).toEqual(hosts);
});

test('a host without a machine is named, and the others are checked all the same', () => {
  const { hosts, diagnostics } = hostsOf('host a {} host b {}', [
    ['a', 'a'],
    ['c', 'c'],
  ]);
  expect(hosts.map(({ host, checked }) => [host, checked !== undefined])).toEqual([
    ['a', true],
    ['b', false],
    ['c', true],
  ]);
  expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
    'VP2009 host `b` has no snapshot: only names were checked',
  ]);
});

test.each(['host a {}', 'policy p on a {}'])(
  'of two machines for one host the first is the one: %s',
  (text) => {
    const machines = ['x', 'y'].map((id) => ({
      name: 'a',
      snapshot: machine({ hostname: 'a', functions: id === 'x' ? functions : [] }),
    }));
    const { hosts } = check({ sources: [{ file: 'p.vfio', text }], machines, today });
    expect(hosts.map(({ host, policy }) => [host, policy?.snapshot.functions.length])).toEqual([['a', 1]]);
  },
);

test('declarations of a pattern and of a name are one host, and kernel relations add up', () => {
  const text = 'host a { kernel >= 6.1 }\nhost * { kernel < 6.10  label role "lab" }';
  expect(hostsOf(text, [['a', 'a']]).diagnostics.map(({ message }) => message)).toEqual([
    'host `a` must run a kernel < 6.10, and runs 6.12.0',
  ]);
});

test.each([
  ['', '', true],
  ['', ' on elsewhere', true],
  [' on a', ' on a', true],
  [' on a', ' on b', false],
  [' on a*', ' on a', true],
  [' on a', ' on a*', true],
  [' on b*', ' on a', false],
  [' on a*', ' on b*', false],
  [' on a*', ' on *a', true],
  [' on a*', ' on *b', false],
])('a name declared%s and%s is declared twice: %s', (first, second, twice) => {
  const text = `host a {} host b {} device d${first} { at 03:00.0 }\ndevice d${second} { at 03:00.0 }`;
  const { diagnostics } = hostsOf(text, []);
  expect(diagnostics.filter(({ code }) => code === 'VP2001')).toHaveLength(twice ? 1 : 0);
});

test('the cost of names grows with the hosts of a fleet, and no faster', () => {
  // A cost that grew with their square would not end within the test's time.
  const count = 6000;
  const fleet = Array.from(
    { length: count },
    (_, n) => `host h${n} {}\ndevice up on h${n} { at 03:00.0 }\npolicy p on h${n} { protect up }\n`,
  );
  const { document } = readDocument('p.vfio', fleet.join(''));
  expect(resolve([document], [], today).byHost.size).toBe(count);
});

test('a label lifts what is forbidden unless the host carries it, on that host only', () => {
  const text = `
    host a { label role "lab" }
    device port { at 03:00.0 }
    policy p on * {
      bind   port to vfio-pci
      allow  user dpdk to use port via group
      forbid anyone to use any device via group unless host role is "lab"
    }`;
  const { hosts } = hostsOf(text, [
    ['a', 'a'],
    ['b', 'b'],
  ]);
  expect(hosts.map(({ host, diagnostics }) => [host, diagnostics.map(({ code }) => code)])).toEqual([
    ['a', []],
    ['b', ['VP3108']],
  ]);
});

test('a pattern matches as its regular expression does', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, word, (glob, name) => {
      const expression = new RegExp(`^${glob.replaceAll('*', '.*')}$`);
      expect(applies(glob, name)).toBe(expression.test(name));
    }),
    { seed, numRuns: 2000 },
  );
});
