import { expect, test } from 'vitest';
import type { MachineFiles } from '../../../runtime/probe/files.ts';
import { unitOf } from '../../../runtime/probe/iommu-units.ts';

/** A machine that has these files alone. */
function filesOf(texts: Readonly<Record<string, string>>): MachineFiles {
  const missing = (path: string) => ({ absent: true, unknown: `there is no ${path}` });
  return {
    kind: 'sysroot',
    bytes: (path) => {
      const text = texts[path];
      return text === undefined ? missing(path) : new TextEncoder().encode(text);
    },
    part: missing,
    list: (path) => {
      const below = Object.keys(texts).filter((name) => name.startsWith(`${path}/`));
      return below.length === 0 ? missing(path) : below;
    },
    link: missing,
    status: missing,
  };
}

const intel = (cap: bigint, ecap: bigint) =>
  unitOf(
    filesOf({
      '/sys/class/iommu/dmar0/intel-iommu/cap': `${cap.toString(16)}\n`,
      '/sys/class/iommu/dmar0/intel-iommu/ecap': `${ecap.toString(16)}\n`,
    }),
    'dmar0',
  );

const levels = { three: 2n, four: 4n, five: 8n };
const sagaw = (which: bigint) => which << 8n;
const mgaw = (bits: bigint) => (bits - 1n) << 16n;
const fiveOfTheFirst = 1n << 60n;
const scalable = (1n << 43n) | (1n << 47n);
const second = 1n << 46n;

test.each<[string, bigint, bigint, number]>([
  ['three levels', sagaw(levels.three) | mgaw(39n), 0n, 39],
  ['four levels of 39 bits, as client machines have them', 0xc0000020660462n, 0xf0101an, 39],
  ['three and four levels', sagaw(levels.three | levels.four) | mgaw(48n), 0n, 48],
  ['five levels', sagaw(levels.four | levels.five) | mgaw(57n), 0n, 57],
  [
    'five levels, four of the first stage',
    sagaw(levels.four | levels.five) | mgaw(57n),
    scalable | second,
    48,
  ],
  ['five levels of both', fiveOfTheFirst | sagaw(levels.five) | mgaw(57n), scalable | second, 57],
  ['the first stage alone', mgaw(57n), scalable, 47],
  ['the first stage alone, with five levels', fiveOfTheFirst | mgaw(57n), scalable, 56],
])('a unit with %s', (_, cap, ecap, bits) => {
  expect(intel(cap, ecap)).toMatchObject({ name: 'dmar0', addressBits: bits });
});

test.each<[bigint, bigint, object]>([
  [0n, 0n, { pageSizes: '0x1000', snoopControl: false }],
  [1n << 34n, 1n << 7n, { pageSizes: '0x201000', snoopControl: true }],
  [3n << 34n, 0xffn, { pageSizes: '0x40201000', snoopControl: true }],
])('CAP %d and ECAP %d', (cap, ecap, expected) => {
  expect(intel(cap | sagaw(levels.four) | mgaw(48n), ecap)).toMatchObject(expected);
});

const scalableDirty = (1n << 43n) | (1n << 45n) | (1n << 48n);

test.each<[string, bigint, string | undefined, unknown]>([
  ['has it in scalable mode', scalableDirty, 'ro intel_iommu=on,sm_on quiet', true],
  ['takes the last word', scalableDirty, 'intel_iommu=sm_on intel_iommu=on,sm_off', false],
  ['may be built to have it', scalableDirty, 'intel_iommu=on', { unknown: expect.any(String) }],
  ['shows no command line', scalableDirty, undefined, { unknown: expect.any(String) }],
  ['lacks SMTS', scalableDirty & ~(1n << 43n), 'intel_iommu=sm_on', false],
  ['lacks SLADS', scalableDirty & ~(1n << 45n), 'intel_iommu=sm_on', false],
  ['lacks SMPWC', scalableDirty & ~(1n << 48n), 'intel_iommu=sm_on', false],
])('dirty tracking of a unit that %s', (_, ecap, commandLine, expected) => {
  const at = '/sys/class/iommu/dmar0/intel-iommu';
  const texts = { [`${at}/cap`]: '660462', [`${at}/ecap`]: ecap.toString(16) };
  const more = commandLine === undefined ? {} : { '/proc/cmdline': `${commandLine}\n` };
  expect(unitOf(filesOf({ ...texts, ...more }), 'dmar0').dirtyTracking).toEqual(expected);
});

test('a unit of AMD takes any address', () => {
  expect(unitOf(filesOf({ '/sys/class/iommu/ivhd0/amd-iommu/cap': '300b0b0f' }), 'ivhd0')).toEqual({
    name: 'ivhd0',
    addressBits: 64,
    pageSizes: '0xffffff7ffffff000',
    snoopControl: true,
  });
});

test('registers that are missing or none leave what they tell unknown', () => {
  const unknown = { unknown: expect.any(String) };
  const none = { addressBits: unknown, pageSizes: unknown, snoopControl: unknown };
  expect(unitOf(filesOf({}), 'virtio0')).toEqual({ name: 'virtio0', ...none });
  const at = '/sys/class/iommu/dmar0/intel-iommu';
  expect(unitOf(filesOf({ [`${at}/cap`]: 'what', [`${at}/ecap`]: '80' }), 'dmar0')).toEqual({
    ...{ name: 'dmar0', ...none, snoopControl: true, dirtyTracking: false },
  });
  expect(unitOf(filesOf({ [`${at}/cap`]: '660462' }), 'dmar0')).toEqual({
    ...{ name: 'dmar0', ...none, pageSizes: '0x1000', dirtyTracking: unknown },
  });
});
