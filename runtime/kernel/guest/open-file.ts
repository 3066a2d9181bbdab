/**
 * An open file. Every method here answers as Linux does for a file that lacks the operation (fs/read_write.c, fs/ioctl.c,
 * mm/mmap.c); each kind of file overrides what it has.
 */
import { fcntl } from '../../abi/fcntl.ts';
import type { AddressSpace } from './memory.ts';
import type { Attribute, PlainFile } from './node.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { decodeText, encodeText } from './text.ts';
import { WouldBlock } from './would-block.ts';

/** What a caller passed to ioctl(2). */
export interface Argument {
  /** The unsigned long itself, exact below 2^53; for memory, an address that is nothing but not null. */
  number(): number;
  /** What can be read and written at that address, in place; null where nothing can. */
  memory(): Uint8Array | null;
  /** The same as words of 32 bits, or null when fewer than `size` bytes of it can be read; it may be longer than they are. */
  words(size: number): Int32Array | null;
  /** How many bytes can be read there. */
  room(): number;
  /** The same as a structure, or null when fewer than `size` bytes of it can be read. */
  structure(size: number): DataView | null;
}

/** What is to be mapped. */
export interface Mapping {
  readonly offset: bigint;
  readonly length: number;
  readonly shared: boolean;
}

/** How a file was opened. */
export interface Opened {
  /** Without links. */
  readonly path: string;
  /** As the caller wrote it. */
  readonly asked: string;
  /** As open(2) was given them. */
  readonly flags: number;
}

/** How a file was opened that no path leads to (anon_inode_getfile() with O_RDWR); `name` is the kernel's. */
export function anonymous(name: string): Opened {
  const path = `anon_inode:${name}`;
  return { path, asked: path, flags: fcntl.O_RDWR };
}

export abstract class OpenFile {
  readonly named: Opened;

  constructor(named: Opened) {
    this.named = named;
  }

  /** The same open file behind another descriptor. */
  as(_fd: number): OpenFile {
    return this;
  }

  /** Whether it was opened for reading (`wanted` 4) or writing (2). */
  opened(wanted: 4 | 2): boolean {
    const mode = this.named.flags & fcntl.O_ACCMODE;
    return mode === fcntl.O_RDWR || mode === (wanted === 4 ? fcntl.O_RDONLY : fcntl.O_WRONLY);
  }

  read(_process: Process, _length: number): Uint8Array | number {
    return refuse('EINVAL');
  }
  write(_process: Process, _bytes: Uint8Array): number {
    return refuse('EINVAL');
  }
  pread(_process: Process, _length: number, _offset: bigint): Uint8Array | number {
    return refuse('EINVAL');
  }
  pwrite(_process: Process, _bytes: Uint8Array, _offset: bigint): number {
    return refuse('EINVAL');
  }
  lseek(_process: Process, _offset: bigint, _whence: number): number {
    return refuse('ESPIPE');
  }
  ioctl(_process: Process, _request: number, _argument: Argument): number {
    return refuse('ENOTTY');
  }
  /** fs/sync.c:vfs_fsync_range: a file that has no such operation. */
  fsync(): number {
    return refuse('EINVAL');
  }
  /** Only what the file says; the mapping itself is the process's. */
  mmap(_process: Process, _mapping: Mapping): number {
    return refuse('ENODEV');
  }
}

/** A position that reads and writes move. */
abstract class Seekable extends OpenFile {
  protected position = 0n;
  protected abstract size(): bigint;

  override lseek(_process: Process, offset: bigint, whence: number): number {
    const from = { [fcntl.SEEK_SET]: 0n, [fcntl.SEEK_CUR]: this.position, [fcntl.SEEK_END]: this.size() }[
      whence
    ];
    if (from === undefined || from + offset < 0n) return refuse('EINVAL');
    this.position = from + offset;
    return Number(this.position);
  }

  override read(process: Process, length: number): Uint8Array | number {
    const bytes = this.pread(process, length, this.position);
    if (typeof bytes !== 'number') this.position += BigInt(bytes.length);
    return bytes;
  }

  override write(process: Process, bytes: Uint8Array): number {
    const written = this.pwrite(process, bytes, this.position);
    if (written > 0) this.position += BigInt(written);
    return written;
  }
}

const nothing: Uint8Array = new Uint8Array(0);

/** A file of sysfs or proc (fs/kernfs/file.c, fs/seq_file.c): its text is made when it is read from the start. */
export class AttributeFile extends Seekable {
  private readonly attribute: Attribute;
  private content = nothing;

  constructor(named: Opened, attribute: Attribute) {
    super(named);
    this.attribute = attribute;
  }

  protected size(): bigint {
    return BigInt(this.attribute.size);
  }

  override pread(process: Process, length: number, offset: bigint): Uint8Array | number {
    if (offset < 0n) return refuse('EINVAL');
    if (offset === 0n) {
      const now = this.attribute.read?.() ?? null;
      if (now === null) return refuse('ENODEV');
      this.content = typeof now === 'string' ? encodeText(now) : now;
    }
    const { content } = this;
    const { unprivilegedSize } = this.attribute;
    const limited = unprivilegedSize !== undefined && !process.who.capabilities.includes('CAP_SYS_ADMIN');
    if (offset === 0n && length >= content.length && !limited) return content;
    const end = Math.min(Number(offset) + length, limited ? unprivilegedSize : content.length);
    return content.subarray(Number(offset), Math.max(Number(offset), end));
  }

  /** One call hands at most a page to the file's handler, and none of an empty write. */
  override pwrite(process: Process, bytes: Uint8Array, offset: bigint): number {
    if (offset < 0n) return refuse('EINVAL');
    if (bytes.length === 0) return 0;
    const page = bytes.length > 4096 ? bytes.subarray(0, 4096) : bytes;
    const answer = this.attribute.write?.(decodeText(page), process.pid) ?? refuse('EIO');
    return answer < 0 ? answer : page.length;
  }
}

/** A file of a disk that is being written. */
export class DiskFile extends Seekable {
  private readonly file: PlainFile;

  constructor(named: Opened, file: PlainFile) {
    super(named);
    this.file = file;
  }

  protected size(): bigint {
    return BigInt(this.file.bytes.length);
  }

  override pread(_process: Process, length: number, offset: bigint): Uint8Array | number {
    return this.file.bytes.slice(Number(offset), Number(offset) + length);
  }

  override pwrite(_process: Process, bytes: Uint8Array, offset: bigint): number {
    const end = Number(offset) + bytes.length;
    const longer = new Uint8Array(Math.max(end, this.file.bytes.length));
    longer.set(this.file.bytes);
    longer.set(bytes, Number(offset));
    this.file.bytes = longer;
    return bytes.length;
  }

  override fsync(): number {
    return 0;
  }
}

/** /proc/PID/mem (fs/proc/base.c:mem_rw). Here it goes by what the pages allow, where Linux would write to all of them. */
export class MemoryFile extends Seekable {
  private readonly memory: AddressSpace;

  constructor(named: Opened, memory: AddressSpace) {
    super(named);
    this.memory = memory;
  }

  protected size(): bigint {
    return 0n;
  }

  override pread(_process: Process, length: number, offset: bigint): Uint8Array | number {
    const bytes = this.memory.read(offset, length);
    return bytes.length === 0 && length > 0 ? refuse('EIO') : bytes;
  }

  override pwrite(_process: Process, bytes: Uint8Array, offset: bigint): number {
    const written = this.memory.write(offset, bytes);
    return written === 0 && bytes.length > 0 ? refuse('EIO') : written;
  }
}

export class DirectoryFile extends OpenFile {
  override read(): number {
    return refuse('EISDIR');
  }
  override pread(): number {
    return refuse('EISDIR');
  }
  /** Those of sysfs and proc have no such operation. */
  override fsync(): number {
    return this.named.path.startsWith('/etc') ? 0 : refuse('EINVAL');
  }
}

/** /dev/null (drivers/char/mem.c). */
export class NullFile extends OpenFile {
  override read(): Uint8Array {
    return new Uint8Array(0);
  }
  override pread(): Uint8Array {
    return new Uint8Array(0);
  }
  override write(_process: Process, bytes: Uint8Array): number {
    return bytes.length;
  }
  override pwrite(_process: Process, bytes: Uint8Array): number {
    return bytes.length;
  }
  override lseek(): number {
    return 0;
  }
}

/**
 * A queue of page faults (drivers/iommu/iommufd/fault.c): structures of 40 bytes are read and responses of 8 written. No
 * fault ever comes, so there is nothing to read and nothing to respond to. It has no positions.
 */
export class FaultQueueFile extends OpenFile {
  override read(_process: Process, length: number): Uint8Array | number {
    return length % 40 === 0 ? new Uint8Array(0) : refuse('ESPIPE');
  }
  override write(_process: Process, bytes: Uint8Array): number {
    if (bytes.length % 8 !== 0) return refuse('ESPIPE');
    return bytes.length === 0 ? 0 : refuse('EINVAL');
  }
  override pread(): number {
    return refuse('ESPIPE');
  }
  override pwrite(): number {
    return refuse('ESPIPE');
  }
}

/** eventfd(2) (fs/eventfd.c). It has no positions, so pread and pwrite refuse it. */
export class CounterFile extends OpenFile {
  private count: bigint;

  constructor(named: Opened, initial: number) {
    super(named);
    this.count = BigInt(initial);
  }

  override read(_process: Process, length: number): Uint8Array | number {
    if (length < 8) return refuse('EINVAL');
    if (this.count === 0n) throw new WouldBlock('eventfd: waits for a signal');
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, this.count, true);
    this.count = 0n;
    return bytes;
  }
  override write(_process: Process, bytes: Uint8Array): number {
    if (bytes.length < 8) return refuse('EINVAL');
    const more = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    if (more === 0xffff_ffff_ffff_ffffn) return refuse('EINVAL');
    if (this.count + more > 0xffff_ffff_ffff_fffen) throw new WouldBlock('eventfd: waits for a reader');
    this.count += more;
    return 8;
  }
  override pread(): number {
    return refuse('ESPIPE');
  }
  override pwrite(): number {
    return refuse('ESPIPE');
  }
  override lseek(): number {
    return 0;
  }
}
