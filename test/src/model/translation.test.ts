import { describe, expect, test } from 'vitest';
import type { IommuUnit, Snapshot } from '../../../src/machine/snapshot.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { intelUnit } from '../../machines.ts';
import { functionAt, pair, sibling, single, snapshotOf, user } from './machine.ts';
import { Session } from './session.ts';
import { realInContainer } from './vector.ts';

/** The unit of an integrated display, as client machines have it: narrower, and without snoop control. */
const narrow: IommuUnit = { name: 'dmar1', addressBits: 39, pageSizes: '0x1000', snoopControl: false };

/** Group 7 behind the narrow unit, group 8 behind the other. */
function session(translation: Snapshot['iommu']['translation'], told = true): Session {
  const behind = (iommuUnit: string) => (told ? { iommuUnit } : {});
  const functions = [
    functionAt(pair, { iommuGroup: 7, ...behind('dmar1') }),
    functionAt(sibling, { iommuGroup: 7, ...behind('dmar1') }),
    functionAt(single, { iommuGroup: 8, ...behind('dmar0') }),
  ];
  const { iommu, ...rest } = snapshotOf(functions);
  const { translation: _, ...without } = iommu;
  const units = { ...without, units: ['dmar0', 'dmar1'], ...(translation ? { translation } : {}) };
  const made = worldFrom({ ...rest, iommu: units }, { profile: '6.12', processes: [user] });
  return new Session('6.12', made);
}

const map = (s: Session, c: number, iova: bigint) =>
  s.call({
    op: 'container.map_dma',
    pid: ROOT,
    fd: c,
    flags: 3,
    vaddr: 0n,
    iova,
    size: 4096n,
    memory: 'writable',
  });
const coherent = (s: Session, c: number) =>
  s.call({ op: 'container.check_extension', pid: ROOT, fd: c, extension: 4 });
const last = (s: Session, fd: number) => {
  const out = s.out({ op: 'container.get_info', pid: ROOT, fd, argsz: 4096 });
  return typeof out === 'string' ? out : out[`end${Number(out['nr_iovas']) - 1}`];
};

function join(s: Session, c: number): unknown {
  s.take(pair);
  s.take(sibling);
  return s.call({ op: 'group.set_container', pid: ROOT, fd: s.open('7'), container: c });
}

describe('a container whose groups are behind', () => {
  test('one unit has what that can', () => {
    const s = session([intelUnit, narrow]);
    const { c } = realInContainer(s, 3);
    expect([coherent(s, c), last(s, c), map(s, c, 1n << 47n)]).toEqual([1, (1n << 48n) - 1n, 0]);
  });

  test('two units has what both can', () => {
    const s = session([intelUnit, narrow]);
    const { c } = realInContainer(s, 3);
    expect(join(s, c)).toBe(0);
    expect([coherent(s, c), last(s, c)]).toEqual([0, (1n << 39n) - 1n]);
    expect([map(s, c, 1n << 39n), map(s, c, (1n << 39n) - 4096n)]).toEqual(['EINVAL', 0]);
  });

  test('a unit that is not told has what all of them can', () => {
    const s = session([intelUnit, narrow], false);
    const { c } = realInContainer(s, 3);
    expect([coherent(s, c), last(s, c)]).toEqual([0, (1n << 39n) - 1n]);
  });

  test('units of which nothing is told have three levels, and that is written down', () => {
    const unknown = { unknown: 'it shows no registers' };
    const s = session([
      intelUnit,
      { name: 'dmar1', addressBits: unknown, pageSizes: unknown, snoopControl: unknown },
    ]);
    expect(s.world.assumed.map(({ fact, taken }) => `${fact} ${taken}`)).toEqual([
      '/iommu/translation/dmar1/addressBits 39',
      '/iommu/translation/dmar1/snoopControl none',
      '/iommu/translation/dmar1/pageSizes 4 KiB',
    ]);
    const older = session(undefined);
    expect(older.world.assumed).toEqual([
      {
        fact: '/iommu/translation',
        taken: '39 bits, no snoop control, pages of 4 KiB',
        unknown: 'the snapshot is older than this fact',
      },
    ]);
    const { c } = realInContainer(older, 3);
    expect([coherent(older, c), last(older, c)]).toEqual([0, (1n << 39n) - 1n]);
    expect(older.out({ op: 'container.get_info', pid: ROOT, fd: c, argsz: 16 })).toMatchObject({
      iova_pgsizes: 0x1000n,
    });
  });
});

test('a snapshot that tells of groups and of no unit makes a world, in which nothing is known to lie beyond one', () => {
  const { iommu, ...rest } = snapshotOf([functionAt(single, { iommuGroup: 8 })]);
  const { world } = worldFrom({ ...rest, iommu: { ...iommu, units: [] } }, { profile: '6.12' });
  const told = iommu.groups as readonly { id: number; reserved: readonly unknown[] }[];
  expect(world.reserved.get(8)?.length ?? 0).toBe(told.find(({ id }) => id === 8)?.reserved.length ?? 0);
  expect([...world.snooped]).toEqual([]);
});
