/** The native backend on kernel objects that every Linux has: no VFIO, nothing outside a temporary folder is touched. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errno } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import type { Backend } from '../../../runtime/backend.ts';
import { linuxBackend } from '../../../runtime/linux/linux.ts';
import { perform } from '../../../runtime/lower/deeds.ts';
import { observe } from '../../../runtime/lower/observe.ts';
import { besideOf } from '../../../src/model/configuration.ts';

const FIONREAD = 0x541b;
const TIOCGWINSZ = 0x5413;

let linux: Backend;
let folder: string;

beforeAll(async () => {
  linux = await linuxBackend();
  folder = mkdtempSync(join(tmpdir(), 'vfioplan-linux-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('configuration files', () => {
  const write = (path: string, its: string) =>
    perform(linux, { op: 'config.write', pid: 0, path, text: its });

  it('are written whole, replaced at once and removed, with nothing left beside them', () => {
    const directory = join(folder, 'vpp.service.d');
    const path = join(directory, '60-vfioplan.conf');
    expect(write(path, 'a\n')).toBe('ENOENT');
    expect(perform(linux, { op: 'config.make_directory', pid: 0, path: directory })).toBeNull();
    expect(perform(linux, { op: 'config.make_directory', pid: 0, path: directory })).toBe('EEXIST');
    expect(statSync(directory).mode & 0o777).toBe(0o755);
    expect(write(path, 'a\n')).toBeNull();
    const first = statSync(path).ino;
    const long = 'ä long line\n'.repeat(10_000);
    expect(write(path, long)).toBeNull();
    expect(readFileSync(path, 'utf8')).toBe(long);
    expect(observe(linux, path)).toBe(long.slice(0, -1));
    expect(statSync(path).ino).not.toBe(first);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(directory)).toEqual(['60-vfioplan.conf']);
    expect(perform(linux, { op: 'config.remove_directory', pid: 0, path: directory })).toBe('ENOTEMPTY');
    expect(perform(linux, { op: 'config.remove', pid: 0, path })).toBeNull();
    expect(perform(linux, { op: 'config.remove', pid: 0, path })).toBe('ENOENT');
    expect(perform(linux, { op: 'config.remove_directory', pid: 0, path: directory })).toBeNull();
  });

  it('take the place of what a stopped run left beside, and leave nothing there when they fail', () => {
    const path = join(folder, 'vfioplan.conf');
    writeFileSync(besideOf(path), 'half');
    expect(write(path, 'whole')).toBeNull();
    expect(readFileSync(path, 'utf8')).toBe('whole');
    mkdirSync(join(folder, 'taken.conf'));
    expect(write(join(folder, 'taken.conf'), 'x')).toBe('EISDIR');
    expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});

const text = (bytes: string) => new TextEncoder().encode(bytes);

describe('descriptors', () => {
  it('read, write and seek in a file, by position and in order', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'abcdef');
    const fd = linux.open(path, fcntl.O_RDWR);
    expect(fd).toBeGreaterThan(2);
    expect(linux.read(fd, 3)).toEqual(text('abc'));
    expect(linux.read(fd, 100)).toEqual(text('def'));
    expect(linux.read(fd, 100)).toEqual(text(''));
    expect(linux.pread(fd, 2, 4n)).toEqual(text('ef'));
    expect(linux.pwrite(fd, text('XY'), 1n)).toBe(2);
    expect(linux.lseek(fd, 0n, fcntl.SEEK_SET)).toBe(0);
    expect(linux.write(fd, text('-'))).toBe(1);
    expect(linux.lseek(fd, 0n, fcntl.SEEK_CUR)).toBe(1);
    expect(linux.close(fd)).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('-XYdef');
  });

  it('keep offsets beyond 32 and 53 bits', () => {
    const fd = linux.open('/dev/zero', fcntl.O_RDONLY);
    expect(linux.pread(fd, 4, 7n << 40n)).toEqual(new Uint8Array(4));
    linux.close(fd);
    const path = join(folder, 'sparse');
    writeFileSync(path, '');
    const sparse = linux.open(path, fcntl.O_RDWR);
    expect(linux.lseek(sparse, 5n << 40n, fcntl.SEEK_SET)).toBe(5 * 2 ** 40);
    linux.close(sparse);
  });

  it('answer the errno of what went wrong', () => {
    expect(linux.open(join(folder, 'absent'), fcntl.O_RDONLY)).toBe(-errno.ENOENT);
    expect(linux.open(folder, fcntl.O_RDWR)).toBe(-errno.EISDIR);
    expect(linux.open('/dev/null/under', fcntl.O_RDONLY)).toBe(-errno.ENOTDIR);
    expect(linux.open('bad\0name', fcntl.O_RDONLY)).toBe(-errno.EINVAL);
    expect(linux.close(-1)).toBe(-errno.EBADF);
    expect(linux.read(-1, 1)).toBe(-errno.EBADF);
    expect(linux.write(1 << 20, text('x'))).toBe(-errno.EBADF);
    expect(linux.ioctl(-1, FIONREAD, null)).toBe(-errno.EBADF);
  });

  it('a pipe: lseek ESPIPE, an empty one EAGAIN, FIONREAD writes into our memory', () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const fd = linux.open(path, fcntl.O_RDWR | fcntl.O_NONBLOCK);
    expect(linux.lseek(fd, 0n, fcntl.SEEK_CUR)).toBe(-errno.ESPIPE);
    expect(linux.read(fd, 1)).toBe(-errno.EAGAIN);
    expect(linux.write(fd, text('seven b'))).toBe(7);
    const memory = new Uint8Array(8).fill(0xaa);
    expect(linux.ioctl(fd, FIONREAD, memory.subarray(2, 6))).toBe(0);
    expect([...memory]).toEqual([0xaa, 0xaa, 7, 0, 0, 0, 0xaa, 0xaa]);
    expect(linux.ioctl(fd, FIONREAD, null)).toBe(-errno.EFAULT);
    expect(linux.ioctl(fd, FIONREAD, 8)).toBe(-errno.EFAULT);
    expect(linux.ioctl(fd, FIONREAD, -8n)).toBe(-errno.EFAULT);
    linux.close(fd);
  });

  it('/dev/null has no terminal ioctls, and O_CLOEXEC is passed on', () => {
    const fd = linux.open('/dev/null', fcntl.O_RDWR | fcntl.O_CLOEXEC);
    expect(linux.ioctl(fd, TIOCGWINSZ, new Uint8Array(8))).toBe(-errno.ENOTTY);
    expect(linux.ioctl(fd, 0x3b64, 0)).toBe(-errno.ENOTTY);
    expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toMatch(/flags:\s+0?2[01]00002/);
    linux.close(fd);
  });

  it('an eventfd counts', async () => {
    const koffi = (await import('koffi')).default;
    const eventfd = koffi.load(null).func('int eventfd(unsigned int, int)');
    const fd: number = eventfd(5, fcntl.O_NONBLOCK);
    const counter = new Uint8Array(8);
    counter[0] = 37;
    expect(linux.write(fd, counter)).toBe(8);
    const read = linux.read(fd, 8);
    expect(read).toEqual(new Uint8Array([42, 0, 0, 0, 0, 0, 0, 0]));
    expect(linux.read(fd, 8)).toBe(-errno.EAGAIN);
    expect(linux.read(fd, 4)).toBe(-errno.EINVAL);
    linux.close(fd);
  });
});

describe('memory', () => {
  it('is mapped at a page boundary and given back', () => {
    const address = linux.mmap(
      2 << 20,
      mman.PROT_READ | mman.PROT_WRITE,
      mman.MAP_PRIVATE | mman.MAP_ANONYMOUS,
      -1,
      0n,
    );
    expect(typeof address).toBe('bigint');
    expect(BigInt(address) % 4096n).toBe(0n);
    expect(readFileSync('/proc/self/maps', 'utf8')).toContain(address.toString(16));
    expect(linux.munmap(BigInt(address), 2 << 20)).toBe(0);
    expect(linux.munmap(1n, 4096)).toBe(-errno.EINVAL);
  });

  it('is refused with an errno, not an address', () => {
    expect(linux.mmap(0, mman.PROT_READ, mman.MAP_PRIVATE | mman.MAP_ANONYMOUS, -1, 0n)).toBe(-errno.EINVAL);
    expect(linux.mmap(4096, mman.PROT_READ, mman.MAP_PRIVATE, -1, 0n)).toBe(-errno.EBADF);
    const fd = linux.open(folder, fcntl.O_RDONLY);
    expect(linux.mmap(4096, mman.PROT_READ, mman.MAP_PRIVATE, fd, 0n)).toBe(-errno.ENODEV);
    linux.close(fd);
  });
});

describe('paths', () => {
  it('list in order, with an errno for what is no folder', () => {
    for (const name of ['b', 'a', 'C']) writeFileSync(join(folder, `list-${name}`), '');
    const names = linux.list(folder);
    expect(Array.isArray(names) && names.filter((name) => name.startsWith('list-'))).toEqual([
      'list-C',
      'list-a',
      'list-b',
    ]);
    expect(linux.list('/dev/null')).toBe(-errno.ENOTDIR);
    expect(linux.list(join(folder, 'absent'))).toBe(-errno.ENOENT);
  });

  it('a link is read and seen as a link', () => {
    const link = join(folder, 'link');
    symlinkSync('../there', link);
    expect(linux.readlink(link)).toBe('../there');
    expect(linux.readlink(folder)).toBe(-errno.EINVAL);
    expect(linux.stat(link)).toMatchObject({ type: 'link' });
    expect(linux.stat('/dev/null')).toMatchObject({ type: 'character', mode: 0o666 });
    expect(linux.stat(folder)).toMatchObject({ type: 'directory', mode: 0o700 });
    expect(linux.stat('/proc/self/nothing')).toBe(-errno.ENOENT);
  });

  it('chown and chmod do what they say or answer an errno', () => {
    const path = join(folder, 'owned');
    writeFileSync(path, '');
    expect(linux.chmod(path, 0o640)).toBe(0);
    expect(statSync(path).mode & 0o7777).toBe(0o640);
    expect(linux.chmod(join(folder, 'absent'), 0o600)).toBe(-errno.ENOENT);
    expect(linux.chown(join(folder, 'absent'), 1, 1)).toBe(-errno.ENOENT);
    if (process.geteuid?.() === 0) {
      expect(linux.chown(path, 12_345, 54_321)).toBe(0);
      expect(linux.stat(path)).toMatchObject({ uid: 12_345, gid: 54_321, mode: 0o640 });
    } else {
      expect(linux.chown(path, 0, 0)).toBe(-errno.EPERM);
    }
  });
});
