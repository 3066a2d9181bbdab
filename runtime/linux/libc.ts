/**
 * The C library's functions, through koffi. `ioctl` and `open` are declared with fixed arguments although C has them
 * variadic: on Linux x86-64 and arm64 both are called alike, and a fixed prototype is faster and takes our own memory.
 */
import { NativeUnavailable } from './obstacles.ts';

type Memory = Uint8Array | bigint | null;

export interface LibC {
  open(path: string, flags: number, mode: number): number;
  close(fd: number): number;
  read(fd: number, memory: Uint8Array, length: number): number | bigint;
  write(fd: number, memory: Uint8Array, length: number): number | bigint;
  pread(fd: number, memory: Uint8Array, length: number, offset: bigint): number | bigint;
  pwrite(fd: number, memory: Uint8Array, length: number, offset: bigint): number | bigint;
  lseek(fd: number, offset: bigint, whence: number): number | bigint;
  ioctl(fd: number, request: number, argument: Memory): number;
  /** 2^64-1 is failure; koffi answers a number when it is safe, else a bigint. */
  mmap(
    address: null,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: bigint,
  ): number | bigint;
  munmap(address: bigint, length: number): number;
  eventfd(initial: number, flags: number): number;
  fsync(fd: number): number;
  delete_module(name: string, flags: number): number;
  /** The text of an errno, in the C locale as this process never calls setlocale. */
  strerror(errno: number): string;
  /** errno of the last call, to be read before any other. */
  errno(): number;
}

export async function loadLibC(): Promise<LibC> {
  // The layouts, O_ flags and prototypes are those of these two.
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new NativeUnavailable('not-linux', `this is ${process.platform} on ${process.arch}`);
  }
  const koffi = await importKoffi();
  const lib = koffi.load(null);
  return {
    open: lib.func('int open(const char *, int, unsigned int)'),
    close: lib.func('int close(int)'),
    read: lib.func('int64_t read(int, void *, size_t)'),
    write: lib.func('int64_t write(int, const void *, size_t)'),
    pread: lib.func('int64_t pread(int, void *, size_t, int64_t)'),
    pwrite: lib.func('int64_t pwrite(int, const void *, size_t, int64_t)'),
    lseek: lib.func('int64_t lseek(int, int64_t, int)'),
    ioctl: lib.func('int ioctl(int, unsigned long, void *)'),
    mmap: lib.func('uint64_t mmap(void *, size_t, int, int, int, int64_t)'),
    munmap: lib.func('int munmap(void *, size_t)'),
    eventfd: lib.func('int eventfd(unsigned int, int)'),
    fsync: lib.func('int fsync(int)'),
    delete_module: lib.func('int delete_module(const char *, unsigned int)'),
    strerror: lib.func('const char *strerror(int)'),
    errno: () => koffi.errno(),
  };
}

async function importKoffi(): Promise<typeof import('koffi').default> {
  try {
    return (await import('koffi')).default;
  } catch (error) {
    throw new NativeUnavailable('koffi-missing', error instanceof Error ? error.message : String(error));
  }
}
