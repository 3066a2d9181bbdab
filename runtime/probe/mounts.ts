import type { Fact } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles, type Missing, textOf } from './files.ts';

/** What is mounted from where (proc_pid_mountinfo(5)) and what is swap (proc_swaps(5)). */
export interface Mount {
  /** `major:minor`; major 0 is a file system without a device of its own: btrfs, zfs, nfs, tmpfs … */
  readonly device: string;
  readonly point: string;
  readonly type: string;
  readonly source: string;
  readonly readOnly: boolean;
}

/** Mounts that the init process and this one see; a container shows only the latter. */
export function readMounts(files: MachineFiles): readonly Mount[] | Missing {
  const texts = ['/proc/1/mountinfo', '/proc/self/mountinfo'].map((path) => textOf(files, path));
  const readable = texts.filter((text) => typeof text === 'string');
  const [, ofSelf] = texts;
  if (readable.length === 0 && ofSelf !== undefined && isMissing(ofSelf)) return ofSelf;
  const mounts = new Map<string, Mount>();
  for (const line of readable.flatMap((text) => text.split('\n'))) {
    const mount = mountOf(line);
    if (mount !== undefined) mounts.set(`${mount.device} ${mount.point}`, mount);
  }
  return [...mounts.values()];
}

/** `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/sda1 rw`: the fields after the dash are type and source. */
function mountOf(line: string): Mount | undefined {
  const [before = '', after] = line.split(' - ');
  const [, , device, , point, here = ''] = before.split(' ');
  const [type, source, everywhere = ''] = after?.split(' ') ?? [];
  if (device === undefined || point === undefined || type === undefined || source === undefined)
    return undefined;
  // The mount may be read-only, or the file system itself.
  const readOnly = [here, everywhere].some((options) => options.split(',').includes('ro'));
  return { device, point: unescaped(point), type, source: unescaped(source), readOnly };
}

/** Space, tab, newline and backslash are written in octal (fs/proc_namespace.c show_mountinfo). */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

export interface Swap {
  readonly path: string;
  /** A file on a mounted file system, as against a device. */
  readonly file: boolean;
}

export function readSwaps(files: MachineFiles): readonly Swap[] | Missing {
  const text = textOf(files, '/proc/swaps');
  if (isMissing(text)) return text;
  const rows = text.split('\n').slice(1);
  return rows.flatMap((row) => {
    const [path, type] = row.split(/\s+/);
    return path === undefined || path === '' ? [] : [{ path: unescaped(path), file: type === 'file' }];
  });
}

/** The mount that a file is on: the one with the longest mount point above it, and of those the last. */
export function mountOfFile(mounts: readonly Mount[], path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const above = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
    if (above && mount.point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}

/** Mount points of one device, sorted, each once. */
export function pointsOf(
  mounts: readonly Mount[] | Missing,
  of: (mount: Mount) => boolean,
): Fact<readonly string[]> {
  if (isMissing(mounts)) return { unknown: mounts.unknown };
  return [...new Set(mounts.filter(of).map(({ point }) => point))].sort();
}
