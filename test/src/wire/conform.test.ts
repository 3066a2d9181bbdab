import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differences } from '../../../src/wire/conform.ts';
import { planSchema } from '../../../src/wire/generated/plan.ts';
import { snapshotSchema } from '../../../src/wire/generated/snapshot.ts';
import { seed } from '../../seed.ts';
import { pciFunction, snapshotOf } from '../machine/handmade.ts';

const place = { file: 'a.vfio', line: 1, column: 1, text: 'bind uplink to vfio-pci' };
const digest = '0'.repeat(64);
const plan = {
  format: 'vfioplan.plan',
  version: 1,
  host: 'edge-01',
  today: '2026-01-01',
  profile: '6.12',
  policyDigest: digest,
  snapshotDigest: digest,
  relies: {},
  steps: [
    {
      number: 1,
      operation: { op: 'driver.bind', driver: 'vfio-pci', device: '0000:03:00.0' },
      sentence: 'bind 0000:03:00.0 to vfio-pci',
      identity: '8086:1572',
      before: { '/sys/bus/pci/devices/0000:03:00.0/driver': null },
      after: { '/sys/bus/pci/devices/0000:03:00.0/driver': 'vfio-pci' },
      undo: { none: 'nothing was changed' },
      lasting: [],
      why: [place],
    },
  ],
  preconditions: [],
  declared: [],
  access: [],
};
const machine = snapshotOf({
  functions: [pciFunction('0000:03:00.0')],
  blockDevices: [
    {
      name: 'sda',
      function: null,
      parent: null,
      mounts: ['/'],
      swap: false,
      holders: [],
      signature: null,
      serial: null,
    },
  ],
});

/** One place of a document replaced, removed or joined by a new field. */
function mutate(document: unknown, at: number, action: number, piece: unknown): unknown {
  const copy = structuredClone(document);
  const holders: [Record<string, unknown>, string][] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      holders.push([value as Record<string, unknown>, key]);
      walk((value as Record<string, unknown>)[key]);
    }
  };
  walk(copy);
  const [holder, key] = holders[at % holders.length] ?? [{}, ''];
  if (action === 0) holder[key] = piece;
  else if (action === 1 && !Array.isArray(holder)) delete holder[key];
  else if (!Array.isArray(holder)) holder[`${key}x`] = piece;
  return copy;
}

test.each([
  ['snapshot', snapshotSchema, machine],
  ['plan', planSchema, plan],
] as const)('the verdict on a %s is that of ajv', (_, schema, document) => {
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  expect(validate(document)).toBe(true);
  expect(differences(schema, document, 20)).toEqual([]);
  const piece = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      -1,
      0,
      1,
      1.5,
      2 ** 53,
      'y',
      '',
      'ff',
      '0000:03:00.0',
      null,
      { unknown: 'why' },
      { none: 'x' },
    ),
  );
  let refused = 0;
  fc.assert(
    fc.property(fc.nat(500), fc.nat(2), piece, (at, action, value) => {
      const changed = mutate(document, at, action, value);
      const valid = validate(changed);
      if (!valid) refused += 1;
      expect(differences(schema, changed, 20).length === 0).toBe(valid);
    }),
    { seed, numRuns: 3000 },
  );
  expect(refused).toBeGreaterThan(500);
});

test('one mistake in a union gives one difference, of the branch that was meant', () => {
  const wrong = structuredClone(plan) as { steps: { operation: object }[] };
  if (wrong.steps[0]) wrong.steps[0].operation = { op: 'driver.bind', driver: 7, device: '0000:03:00.0' };
  expect(differences(planSchema, wrong, 20)).toEqual([
    {
      kind: 'type',
      path: ['steps', 0, 'operation', 'driver'],
      expected: 'text that matches `^\\w[\\w !+,.:-]*$`',
      found: '7',
    },
  ]);
  if (wrong.steps[0]) wrong.steps[0].operation = { op: 'driver.bnd' };
  expect(differences(planSchema, wrong, 20).map(({ kind, path }) => [kind, path])).toEqual([
    ['value', ['steps', 0, 'operation']],
  ]);
});
