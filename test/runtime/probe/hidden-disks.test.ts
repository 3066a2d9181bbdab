import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sysrootFiles } from '../../../runtime/probe/files.ts';
import { probe } from '../../../runtime/probe/probe.ts';
import { holds } from '../../../src/machine/holdings.ts';
import { isUnknown, type Snapshot } from '../../../src/machine/snapshot.ts';
import { addresses, captureServer } from './tree.ts';

let root = '';

function captured(): Snapshot {
  const { snapshot, diagnostics } = probe(sysrootFiles(root), {});
  expect(diagnostics).toEqual([]);
  if (snapshot === undefined) throw new Error('no snapshot');
  return snapshot;
}

describe('disks that hide', () => {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'vfioplan-sysroot-'));
    captureServer(root);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const add = (path: string, content: string) => writeFileSync(join(root, path), content);

  test('swap in a file is on the disk of its file system', () => {
    add('proc/swaps', 'Filename Type\n/boot/swapfile file 1 0 -2\n');
    const disks = captured().blockDevices;
    expect(isUnknown(disks) ? [] : disks.filter(({ swap }) => swap === true).map(({ name }) => name)).toEqual(
      ['nvme0n1p1'],
    );
  });

  test('every member of a mounted btrfs counts as mounted', () => {
    for (const member of ['nvme0n1p1', 'nvme0n1p2'])
      mkdirSync(join(root, `sys/fs/btrfs/0000/devices/${member}`), { recursive: true });
    add('proc/self/mountinfo', '25 1 0:30 / / rw - btrfs /dev/nvme0n1p1 rw\n');
    const disks = captured().blockDevices;
    expect(
      isUnknown(disks) ? [] : disks.filter(({ mounts }) => Array.isArray(mounts) && mounts.length > 0),
    ).toMatchObject([{ name: 'nvme0n1p1' }, { name: 'nvme0n1p2' }]);
  });

  test('a signature is looked for at the start and, for old md arrays, near the end', () => {
    const disks = () => {
      const { blockDevices } = captured();
      return isUnknown(blockDevices)
        ? undefined
        : blockDevices.find(({ name }) => name === 'nvme0n1')?.signature;
    };
    const sectors = 2048;
    add('sys/class/block/nvme0n1/size', `${sectors}\n`);
    const signed = (at: number, bytes: string): void => {
      const image = Buffer.alloc(sectors * 512);
      image.write(bytes, at, 'latin1');
      writeFileSync(join(root, 'dev/nvme0n1'), image);
    };
    for (const [at, bytes, name] of [
      [0, '', null],
      [0, 'LUKS\xba\xbe', 'LUKS'],
      [1080, '\x53\xef', 'ext'],
      [65_600, '_BHRfS_M', 'btrfs'],
      [512, 'LABELONE', 'LVM2'],
      [4096, '\xfc\x4e\x2b\xa9', 'md RAID'],
      [(sectors - 16) * 512, '\xfc\x4e\x2b\xa9', 'md RAID'],
      [131_072 + 5 * 1024, '\x0c\xb1\xba\x00', 'ZFS'],
      [510, '\x55\xaa', 'MBR'],
    ] as const) {
      signed(at, bytes);
      expect([at, disks()]).toEqual([at, name]);
    }
    add('sys/class/block/nvme0n1/size', '0\n');
    expect(disks()).toBeNull();
  });

  test('a ZFS pool leaves the mounts of what may be its disks unknown', () => {
    add('proc/self/mountinfo', '25 1 0:30 / / rw - zfs rpool/root rw\n');
    expect(holds(captured(), addresses.nvme, 'root').is).toBe('unknown');
  });

  test('an NVMe disk with multipath hangs on the functions of all its controllers', () => {
    const virtual = 'sys/devices/virtual/nvme-subsystem/nvme-subsys0';
    mkdirSync(join(root, virtual, 'nvme7n1'), { recursive: true });
    mkdirSync(join(root, 'sys/class/nvme-subsystem'), { recursive: true });
    mkdirSync(join(root, 'sys/class/nvme'), { recursive: true });
    const there = '../../devices/virtual/nvme-subsystem/nvme-subsys0';
    symlinkSync(there, join(root, 'sys/class/nvme-subsystem/nvme-subsys0'));
    for (const [name, path] of [
      ['nvme0', '0000:00:01.0/0000:01:00.0'],
      ['nvme1', '0000:00:03.0'],
    ] as const) {
      symlinkSync(`../../devices/pci0000:00/${path}/nvme/${name}`, join(root, `sys/class/nvme/${name}`));
      writeFileSync(join(root, virtual, name), '');
    }
    symlinkSync(`${there}/nvme7n1`, join(root, 'sys/class/block/nvme7n1'));
    add(`${virtual}/nvme7n1/dev`, '259:9\n');
    add('proc/self/mountinfo', '25 1 259:9 / / rw - ext4 /dev/nvme7n1 rw\n');
    const snapshot = captured();
    expect(holds(snapshot, addresses.nvme, 'root').is).toBe('held');
    expect(holds(snapshot, addresses.display, 'root').is).toBe('held');
    expect(holds(snapshot, addresses.nic, 'root').is).toBe('free');
  });
});
