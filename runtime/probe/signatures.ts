import type { Fact } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles } from './files.ts';

/**
 * What a block device is signed with: file system, RAID, LVM, swap, encryption or partition table, by its magic bytes.
 * Offsets and values are those of util-linux's libblkid (libblkid/src/superblocks, partitions). Something unreadable is
 * unknown; something readable without a known signature is unsigned, also when it holds data that nobody has signed.
 */
interface Magic {
  readonly name: string;
  readonly at: number;
  readonly bytes: readonly number[];
}

const text = (name: string, at: number, word: string): Magic => ({
  name,
  at,
  bytes: [...Buffer.from(word, 'latin1')],
});

const magics: readonly Magic[] = [
  text('LUKS', 0, 'LUKS\xba\xbe'),
  text('xfs', 0, 'XFSB'),
  text('Ceph BlueStore', 0, 'bluestore block device'),
  text('squashfs', 0, 'hsqs'),
  text('BitLocker', 3, '-FVE-FS-'),
  text('NTFS', 3, 'NTFS    '),
  text('exFAT', 3, 'EXFAT   '),
  text('FAT', 54, 'FAT'),
  text('FAT', 82, 'FAT32'),
  ...[0, 512, 1024, 1536].map((at) => text('LVM2', at, 'LABELONE')),
  text('GPT', 512, 'EFI PART'),
  text('GPT', 4096, 'EFI PART'),
  { name: 'ext', at: 1080, bytes: [0x53, 0xef] },
  { name: 'f2fs', at: 1024, bytes: [0x10, 0x20, 0xf5, 0xf2] },
  ...[0, 4096].map((at) => ({ name: 'md RAID', at, bytes: [0xfc, 0x4e, 0x2b, 0xa9] })),
  text('swap', 4086, 'SWAPSPACE2'),
  text('swap', 65526, 'SWAPSPACE2'),
  { name: 'bcache', at: 4120, bytes: [0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca] },
  text('ISO 9660', 32769, 'CD001'),
  text('btrfs', 65600, '_BHRfS_M'),
  // A boot sector ends like an MBR, so the partition table is the last to be taken for one.
  { name: 'MBR', at: 510, bytes: [0x55, 0xaa] },
];

const headBytes = 393_216;
const md = [0xfc, 0x4e, 0x2b, 0xa9];

/** `sectors` is the size in units of 512 bytes, as /sys/class/block/NAME/size says; NaN: not known. */
export function readSignature(files: MachineFiles, name: string, sectors: number): Fact<string | null> {
  // A drive without a medium, or an NBD without a server: there is nothing to be signed.
  if (sectors === 0) return null;
  const path = `/dev/${name}`;
  const status = files.status(path);
  if (isMissing(status)) return { unknown: status.unknown };
  if (!status.device && (files.kind === 'live' || status.size === 0))
    return { unknown: `${path} is not a block device here` };
  const head = files.part(path, 0, headBytes);
  if (isMissing(head)) return { unknown: head.unknown };
  const found =
    magics.find(({ at, bytes }) => holds(head, at, bytes))?.name ?? (hasZfsLabel(head) ? 'ZFS' : null);
  if (found !== null || Number.isNaN(sectors)) return found;
  // md 0.90 and 1.0 stand near the end (include/uapi/linux/raid/md_p.h MD_NEW_SIZE_SECTORS; mdadm super1.c).
  for (const sector of [(sectors & ~127) - 128, (sectors - 16) & ~7]) {
    const tail = sector > 0 ? files.part(path, sector * 512, 512) : new Uint8Array();
    if (isMissing(tail)) return { unknown: tail.unknown };
    if (holds(tail, 0, md)) return 'md RAID';
  }
  return null;
}

function holds(bytes: Uint8Array, at: number, wanted: readonly number[]): boolean {
  return wanted.every((byte, index) => bytes[at + index] === byte);
}

/** The first label's uberblocks, one each KiB from 128 KiB (OpenZFS include/sys/uberblock_impl.h), in either byte order. */
function hasZfsLabel(head: Uint8Array): boolean {
  for (let at = 131_072; at < 262_144; at += 1024) {
    if (holds(head, at, [0x0c, 0xb1, 0xba, 0x00])) return true;
    if (holds(head, at + 4, [0x00, 0xba, 0xb1, 0x0c])) return true;
  }
  return false;
}
