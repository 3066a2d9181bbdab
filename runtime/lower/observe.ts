import type { Address } from '../../src/machine/snapshot.ts';
import { errno, errnoOf } from '../abi/errno.ts';
import { fcntl } from '../abi/fcntl.ts';
import type { Backend } from '../backend.ts';

/** What of a backend it takes to look at a file. */
export type Files = Pick<Backend, 'stat' | 'readlink' | 'open' | 'read' | 'close'>;

/** sysfs gives at most a page for one attribute (fs/sysfs/file.c, PAGE_SIZE on x86-64). */
const attributeSize = 4096;

/** Twice what a plan may write. */
const longestText = 2_097_152;

/**
 * What a path shows now, in the words of the model's `show`: a file's text without its final newline, a link's last
 * component, `600 1000:0` for a device node, `directory`, null when there is nothing. What cannot be read shows as the
 * errno in parentheses, `(EACCES)`, which no prediction equals: unknown is never taken for right.
 */
export function observe(backend: Files, path: string): string | null {
  const status = backend.stat(path);
  if (typeof status === 'number') return absentOr(status);
  switch (status.type) {
    case 'link': {
      // An entry of a class is a link to the object's directory; only whether it is there tells something.
      if (path.startsWith('/sys/class/')) return 'directory';
      const target = backend.readlink(path);
      return typeof target === 'number' ? absentOr(target) : target.slice(target.lastIndexOf('/') + 1);
    }
    case 'character':
    case 'block':
      return `${status.mode.toString(8)} ${status.uid}:${status.gid}`;
    case 'directory':
      return 'directory';
    default:
      return text(backend, path);
  }
}

/** Where the node of `path`'s kind that belongs to function `of` stands now; null: it has none (`presentPath` of the model). */
export function presentNode(
  backend: Pick<Backend, 'list' | 'readlink'>,
  path: string,
  of: Address,
): string | null {
  const directory = `/sys/bus/pci/devices/${of}`;
  if (path.startsWith('/dev/vfio/devices/')) {
    const names = backend.list(`${directory}/vfio-dev`);
    return typeof names === 'number' || names[0] === undefined ? null : `/dev/vfio/devices/${names[0]}`;
  }
  const group = backend.readlink(`${directory}/iommu_group`);
  if (typeof group === 'number') return null;
  const id = group.slice(group.lastIndexOf('/') + 1);
  return `/dev/vfio/${path.startsWith('/dev/vfio/noiommu-') ? 'noiommu-' : ''}${id}`;
}

/** What each of the paths shows. */
export function observeAll(
  backend: Backend,
  paths: Iterable<string>,
): { readonly [path: string]: string | null } {
  const shows: Record<string, string | null> = {};
  for (const path of paths) shows[path] = observe(backend, path);
  return shows;
}

function text(backend: Files, path: string): string | null {
  const fd = backend.open(path, fcntl.O_RDONLY | fcntl.O_CLOEXEC);
  if (fd < 0) return absentOr(fd);
  const bytes = contents(backend, fd);
  backend.close(fd);
  if (typeof bytes === 'number') return absentOr(bytes);
  return new TextDecoder().decode(bytes).replace(/\n$/, '');
}

/** An attribute comes with the first read; a configuration file may be longer. */
function contents(backend: Files, fd: number): Uint8Array | number {
  let all = new Uint8Array(0);
  for (;;) {
    const bytes = backend.read(fd, attributeSize);
    if (typeof bytes === 'number') return bytes;
    if (all.length === 0 && bytes.length < attributeSize) return bytes;
    const longer = new Uint8Array(all.length + bytes.length);
    longer.set(all);
    longer.set(bytes, all.length);
    all = longer;
    if (bytes.length === 0) return all;
    if (all.length > longestText) return -errno.EFBIG;
  }
}

/** ENODEV is what an attribute answers whose object went away after it was opened (fs/kernfs/file.c). */
function absentOr(answer: number): string | null {
  if (answer === -errno.ENOENT || answer === -errno.ENOTDIR || answer === -errno.ENODEV) return null;
  return `(${errnoOf(answer)})`;
}
