import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../src/check/check.ts';
import type { CheckInput } from '../../src/check/checked.ts';
import { makePlan } from '../../src/plan/make.ts';
import type { Declaration } from '../../src/syntax/ast.ts';
import { placeOf } from '../../src/syntax/places.ts';
import { readDocument } from '../../src/syntax/read.ts';
import { seed } from '../seed.ts';
import { devices } from './devices.ts';
import { type Example, inputOf } from './example.ts';
import { files } from './files.ts';
import { hosts } from './hosts.ts';
import { laws } from './laws.ts';
import { principals } from './principals.ts';
import { tests } from './tests.ts';
import { wishes } from './wishes.ts';

// Order never matters: not of files, not of declarations, not of the statements of a host, a device or a policy.

/** As much as one machine can be told at once. */
const busy: Example = {
  sentence: 'busy',
  text: `host box { kernel >= 6.1 label role "lab" label site "north" iommu required }
host * { kernel < 7.0 }
devices ports { id 8086:1572 count 2 }
device gpu { class display }
device pf { at 07:00.0 }
device other { at 06:00.0 }
devices vfs { virtual functions of pf }
device first { virtual functions 0 of pf }
policy p {
  bind ports to vfio-pci
  bind gpu with its group to vfio
  bind vfs to vfio-pci
  create 4 virtual functions on pf
  allow user dpdk to use ports via group
  allow group kvm to use ports via iommufd
  allow vm win11 to use gpu via any
  allow service vpp to use first via group
  limit user dpdk to 4 GiB locked memory
  limit user d* to 4096 MiB locked memory
  persist across boots
}
policy q {
  create 4 virtual functions on pf
  allow user dpdk to use ports via group
  allow group kvm to use any device via any
  allow user spdk to use vfs via iommufd
  protect other
  protect devices that hold root, swap
  require ports never bound to i40e
  require gpu resets by bus
  forbid anyone to use other
  persist across boots
}`,
};

const examples: readonly Example[] = [
  [busy, busy, busy],
  hosts,
  devices,
  wishes,
  principals,
  laws,
  tests,
  files,
]
  .flat()
  .filter(({ text, files = {} }) =>
    Object.values({ text, ...files }).every((each) => readDocument('p', each).diagnostics.length === 0),
  );

type Shuffle = <T>(list: readonly T[]) => T[];

/** A shuffle by numbers: equal numbers give equal orders. */
function shuffleBy(numbers: readonly number[]): Shuffle {
  let next = 0;
  return (list) => {
    const rest = [...list];
    return list.map(() => {
      const number = numbers[next % numbers.length] ?? 0;
      next += 1;
      return rest.splice(number % rest.length, 1)[0] as (typeof rest)[number];
    });
  };
}

/** The statements of a declaration, and how each is written. */
function itemsOf(node: Declaration) {
  if (node.kind === 'host' || node.kind === 'policy')
    return node.statements.map((item) => ({ item, word: '' }));
  if (node.kind !== 'device') return [];
  const { selectors, except, count, dmaNone } = node;
  const others = [...selectors, ...(count ? [count] : []), ...(dmaNone ? [dmaNone] : [])];
  return [
    ...others.map((item) => ({ item, word: '' })),
    ...except.map((item) => ({ item, word: 'except ' })),
  ];
}

/** The declarations of a text, each with its statements in another order. */
function declarations(text: string, shuffle: Shuffle): readonly string[] {
  const { document } = readDocument('p', text);
  return document.declarations.map(({ base, node }) => {
    const origin = { file: 'p', base };
    const { start, end } = placeOf(origin, node).span;
    const items = itemsOf(node).map(({ item, word }) => {
      const { span } = placeOf(origin, item);
      return `${word}${text.slice(span.start, span.end)}`;
    });
    const whole = text.slice(start, end);
    return items.length === 0
      ? whole
      : `${whole.slice(0, whole.indexOf('{') + 1)}${shuffle(items).join('\n')}}`;
  });
}

/** The same input with everything in another order. */
function shuffled({ sources, machines, today }: CheckInput, shuffle: Shuffle): CheckInput {
  const others = sources.map(({ file, text }) => ({
    file,
    text: shuffle(declarations(text, shuffle)).join('\n'),
  }));
  return { sources: shuffle(others), machines, today };
}

/** What is said, whatever the places and the order; and for each host its plan. */
function verdict(input: CheckInput) {
  const { diagnostics, hosts } = check(input);
  const plans = hosts.map(({ host, checked }) => {
    if (checked === undefined) return { host };
    const { steps, access, declared, preconditions } = makePlan(checked, input);
    return {
      host,
      steps: steps.map(({ sentence }) => sentence),
      access,
      declared: declared.map(({ sentence }) => sentence),
      preconditions: preconditions.map(({ sentence }) => sentence).sort(),
    };
  });
  return {
    said: diagnostics.map(({ severity, code }) => `${severity} ${code}`).sort(),
    plans: plans.sort((a, b) => (a.host < b.host ? -1 : 1)),
  };
}

test('order never matters', () => {
  expect(examples.length).toBeGreaterThan(100);
  fc.assert(
    fc.property(
      fc.nat(examples.length - 1),
      fc.array(fc.nat(), { minLength: 1, maxLength: 40 }),
      (index, numbers) => {
        const input = inputOf(examples[index] as Example);
        const other = shuffled(input, shuffleBy(numbers));
        expect(verdict(other)).toEqual(verdict(input));
      },
    ),
    { seed, numRuns: 300 },
  );
}, 120_000);
