import { fcntl } from '../abi/fcntl.ts';
import { mman } from '../abi/mman.ts';
import type { Backend } from '../backend.ts';

const pageSize = 4096;

/**
 * Memory that a structure points to, or a structure that ends where nothing is mapped any more: pages of the process
 * itself, which get their content and give it back through /proc/self/mem. Content that is longer than `most` is not given.
 */
export interface Pointed {
  readonly answer: number;
  /** What stands there afterwards; as given, where it could not be read. */
  readonly content: Uint8Array;
}

const most = 1 << 20;

/**
 * Makes a call with the address of memory that holds `content`, whose last byte is the last of its page where `atEnd`.
 * `busy` is the descriptor that the call is made on.
 */
export function withPointed(
  backend: Backend,
  busy: number,
  content: Uint8Array,
  call: (address: bigint) => number,
  atEnd = false,
): Pointed {
  const length = Math.ceil(Math.max(1, Math.min(content.length, most)) / pageSize) * pageSize;
  const flags = mman.MAP_PRIVATE | mman.MAP_ANONYMOUS;
  const pages = backend.mmap(length + pageSize, mman.PROT_READ | mman.PROT_WRITE, flags, -1, 0n);
  if (typeof pages === 'number') return { answer: pages, content };
  backend.munmap(pages + BigInt(length), pageSize);
  const address = pages + BigInt(atEnd ? Math.max(0, length - content.length) : 0);
  const memory = backend.open('/proc/self/mem', fcntl.O_RDWR | fcntl.O_CLOEXEC);
  // The number that was asked for is free when the kernel gives it to this file: then there is nothing to ask.
  const free = memory === busy && backend.close(memory) === 0;
  const asked = (): Pointed =>
    memory < 0 ? { answer: memory, content } : through(backend, memory, address, content, call);
  const pointed = free ? { answer: call(address), content } : asked();
  if (memory >= 0 && !free) backend.close(memory);
  backend.munmap(pages, length);
  return pointed;
}

function through(
  backend: Backend,
  memory: number,
  address: bigint,
  content: Uint8Array,
  call: (address: bigint) => number,
): Pointed {
  const written = backend.pwrite(memory, content.subarray(0, most), address);
  if (written < 0) return { answer: written, content };
  const answer = call(address);
  const now = backend.pread(memory, content.length, address);
  return { answer, content: typeof now === 'number' ? content : now };
}

/** Makes a call with the address of a page of zeros, behind which nothing is. */
export function withZeros(backend: Backend, call: (address: bigint) => number): number {
  const flags = mman.MAP_PRIVATE | mman.MAP_ANONYMOUS;
  const page = backend.mmap(2 * pageSize, mman.PROT_READ | mman.PROT_WRITE, flags, -1, 0n);
  if (typeof page === 'number') return page;
  backend.munmap(page + BigInt(pageSize), pageSize);
  const answer = call(page);
  backend.munmap(page, pageSize);
  return answer;
}

/** As `withPointed`, for a call that only reads: it finds no descriptor more than the process has. */
export function withGiven(backend: Backend, content: Uint8Array, call: (address: bigint) => number): number {
  return withZeros(backend, (page) => {
    const memory = backend.open('/proc/self/mem', fcntl.O_RDWR | fcntl.O_CLOEXEC);
    const written = memory < 0 ? memory : backend.pwrite(memory, content, page);
    if (memory >= 0) backend.close(memory);
    return written < 0 ? written : call(page);
  });
}
