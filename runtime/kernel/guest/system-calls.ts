/** Every system call: its arguments out of the frame, its answer and bytes back into it. */
import { mman } from '../../abi/mman.ts';
import { type CallName, endings, frame } from '../frame.ts';
import type { FileSystem } from './file-system.ts';
import type { Machine } from './machine.ts';
import { type Argument, anonymous, CounterFile, type OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { decodeText, encodeInto } from './text.ts';

// Where the frame's fields lie, in words. Single names: the sandbox's engine looks a member up each time.
export const numberAt = frame.number / 4;
export const pidAt = frame.pid / 4;
const lengthAt = frame.length / 4;
const endingAt = frame.ending / 4;
export const answerAt = frame.answer / 4;
const firstAt = frame.argument[0] / 4;
const secondAt = frame.argument[1] / 4;
const thirdAt = frame.argument[2] / 4;
const fourthAt = frame.argument[3] / 4;

/** The frame, as a call reads and fills it. Its words are WebAssembly's, which are little endian everywhere. */
export class Exchange {
  /** Of ioctl(2). */
  readonly argument: FrameArgument;
  /** The call's text where it came as one. */
  given: string | undefined;
  /** All of it; the calls that come most read their arguments here. */
  readonly words: Int32Array;
  private readonly view: DataView;
  private readonly area: Uint8Array;
  private readonly memory: ArrayBuffer;

  constructor(memory: ArrayBuffer) {
    this.memory = memory;
    this.words = new Int32Array(memory);
    this.view = new DataView(memory);
    this.area = new Uint8Array(memory, frame.bytes, frame.bytesMaximum);
    this.argument = new FrameArgument(this.words, memory);
  }

  // Methods, not getters: the sandbox's engine takes twice as long for a getter. And few of them: a call of one costs as
  // much as five steps of anything else.
  length(): number {
    return this.words[lengthAt] as number;
  }
  /** An argument that C takes as an int. */
  int(index: 0 | 1 | 2 | 3): number {
    return this.words[firstAt + 2 * index] as number;
  }
  wide(index: 0 | 1 | 2 | 3): bigint {
    return this.view.getBigUint64(frame.argument[index], true);
  }
  signed(index: 0 | 1 | 2 | 3): bigint {
    return this.view.getBigInt64(frame.argument[index], true);
  }
  /** The bytes that came with the call, in place. */
  bytes(): Uint8Array {
    return new Uint8Array(this.memory, frame.bytes, this.length());
  }
  /** The same bytes as a structure. */
  structure(): DataView {
    return new DataView(this.memory, frame.bytes, this.length());
  }
  text(): string {
    return this.given ?? decodeText(this.bytes());
  }
  /** Gives bytes back; answers how many. */
  give(bytes: Uint8Array): number {
    this.area.set(bytes.length > frame.bytesMaximum ? bytes.subarray(0, frame.bytesMaximum) : bytes);
    this.words[lengthAt] = Math.min(bytes.length, frame.bytesMaximum);
    return bytes.length;
  }
  giveText(text: string): number {
    const length = encodeInto(text, this.area);
    this.words[lengthAt] = length;
    return length;
  }
  /** What a call came to; `words` takes the answers that come most. */
  answer(answer: number | bigint): void {
    if (typeof answer === 'number' && (answer | 0) === answer) this.words[answerAt] = answer;
    else {
      this.words[endingAt] = endings.answeredWide;
      this.view.setBigInt64(frame.answer, BigInt(answer), true);
    }
  }
  end(ending: number): void {
    this.words[endingAt] = ending;
  }
}

/** Longer structures are rare, and are looked at anew each time. */
const longestKept = 256;

/**
 * How an ioctl's argument crosses: the third argument is 0 for a value, 1 for memory, which lies in the frame's bytes. One
 * object serves all calls: it is good until the call that it came with has ended.
 */
class FrameArgument implements Argument {
  /** Whose call it is. */
  process: Process | null = null;
  /** What stands at the address that was given, once it was looked at. */
  private pointed: { readonly address: bigint; readonly bytes: Uint8Array } | null = null;
  private readonly fields: Int32Array;
  private readonly frame: ArrayBuffer;
  private readonly area: Int32Array;
  /** By length: the frame stays where it is, and so do its views. */
  private readonly views: DataView[] = [];

  constructor(words: Int32Array, memory: ArrayBuffer) {
    this.fields = words;
    this.frame = memory;
    this.area = new Int32Array(memory, frame.bytes);
  }

  number(): number {
    const { fields } = this;
    if (fields[thirdAt] === inMemory) return somewhere;
    const high = (fields[fourthAt + 1] as number) >>> 0;
    return high * 0x1_0000_0000 + ((fields[fourthAt] as number) >>> 0);
  }
  memory(): Uint8Array | null {
    const { fields } = this;
    if (fields[thirdAt] === inMemory)
      return new Uint8Array(this.frame, frame.bytes, fields[lengthAt] as number);
    const { process } = this;
    if (process === null) return null;
    if (this.pointed === null) {
      const address = BigInt(this.number());
      this.pointed = { address, bytes: process.memory.read(address, mostStructure) };
    }
    return this.pointed.bytes.length === 0 ? null : this.pointed.bytes;
  }
  words(size: number): Int32Array | null {
    const { fields } = this;
    if (fields[thirdAt] === inMemory) return (fields[lengthAt] as number) < size ? null : this.area;
    const memory = this.memory();
    if (memory === null || memory.length < size) return null;
    return new Int32Array(memory.buffer, 0, memory.length >> 2);
  }
  /** Its bytes, as far as they can be read. */
  room(): number {
    const { fields } = this;
    return fields[thirdAt] === inMemory ? (fields[lengthAt] as number) : (this.memory()?.length ?? 0);
  }
  /** What stood at another call's address. */
  forget(): void {
    this.pointed = null;
  }
  /** What was changed at the address goes back there. */
  give(): void {
    if (this.pointed !== null) this.process?.memory.write(this.pointed.address, this.pointed.bytes);
  }
  structure(size: number): DataView | null {
    const { fields } = this;
    if (fields[thirdAt] === inMemory) {
      const length = fields[lengthAt] as number;
      return length < size ? null : (this.views[length] ?? this.look(length));
    }
    const memory = this.memory();
    return memory === null || memory.length < size ? null : new DataView(memory.buffer);
  }
  private look(length: number): DataView {
    const view = new DataView(this.frame, frame.bytes, length);
    if (length < longestKept) this.views[length] = view;
    return view;
  }
}

/** What an ioctl's third argument is where the argument lies in the frame's bytes. */
const inMemory = 1;

/** More than any structure takes. */
const mostStructure = 4096;

/** An address in the caller's stack, for arguments that are memory where the kernel wants a number. */
const somewhere = 0x7ffc_0000_1000;

interface Kernel {
  readonly machine: Machine;
  readonly files: FileSystem;
}

export type SystemCall = (kernel: Kernel, process: Process, its: Exchange) => number | bigint;

/** The calls that a process makes; those that make or end a process are the kernel's entry's. */
export const systemCalls: Readonly<Partial<Record<CallName, SystemCall>>> = {
  open: (kernel, process, its) =>
    kernel.files.open(process, its.given ?? its.text(), its.words[firstAt] as number),
  close: (kernel, process, its) => kernel.files.close(process, its.words[firstAt] as number),
  read: (_, process, its) =>
    onFile(process, its, (file) => {
      if (!file.opened(4)) return refuse('EBADF');
      return give(its, file.read(process, Math.min(its.int(1), frame.bytesMaximum)));
    }),
  pread: (_, process, its) => {
    // Before the descriptor is looked at (fs/read_write.c:ksys_pread64, ksys_pwrite64).
    const offset = its.signed(2);
    if (offset < 0n) return refuse('EINVAL');
    const file = process.files[its.words[firstAt] as number];
    if (file === undefined || !file.opened(4)) return refuse('EBADF');
    return give(its, file.pread(process, Math.min(its.int(1), frame.bytesMaximum), offset));
  },
  write: (_, process, its) => {
    const file = process.files[its.words[firstAt] as number];
    if (file === undefined || !file.opened(2)) return refuse('EBADF');
    return file.write(process, its.bytes());
  },
  pwrite: (_, process, its) => {
    if (its.signed(2) < 0n) return refuse('EINVAL');
    return onFile(process, its, (file) =>
      file.opened(2) ? file.pwrite(process, its.bytes(), its.signed(2)) : refuse('EBADF'),
    );
  },
  lseek: (_, process, its) => onFile(process, its, (file) => file.lseek(process, its.signed(1), its.int(2))),
  ioctl: (_, process, its) => {
    const { words, argument } = its;
    const file = process.files[words[firstAt] as number];
    if (file === undefined) return refuse('EBADF');
    const request = (words[secondAt] as number) >>> 0;
    if (words[thirdAt] === inMemory) return file.ioctl(process, request, argument);
    argument.forget();
    const answer = file.ioctl(process, request, argument);
    argument.give();
    return answer;
  },
  mmap: (_, process, its) => mmap(process, its),
  eventfd: ({ machine }, process, its) => {
    const fd = machine.value({ op: 'eventfd', pid: process.pid });
    if (fd < 0) return fd;
    process.files[fd] = new CounterFile(anonymous('[eventfd]'), its.int(0) >>> 0);
    return fd;
  },
  munmap: (_, process, its) => process.memory.unmap(its.wide(0), its.wide(1)),
  lstat: ({ files }, process, its) => {
    const status = files.status(process, its.text());
    if (typeof status === 'number') return status;
    its.giveText(JSON.stringify(status));
    return 0;
  },
  readlink: ({ files }, process, its) => {
    const text = files.readlink(process, its.text());
    return typeof text === 'number' ? text : its.giveText(text);
  },
  list: ({ files }, process, its) => list(files, process, its),
  chown: ({ files }, process, its) =>
    files.own(process, its.text(), { uid: its.int(0) >>> 0, gid: its.int(1) >>> 0 }),
  chmod: ({ files }, process, its) => files.own(process, its.text(), { mode: its.int(0) & 0o7777 }),
  fsync: (_, process, its) => onFile(process, its, (file) => file.fsync()),
  rename: ({ files }, process, its) => {
    const [from = '', to = ''] = its.text().split('\0');
    return files.configuration.rename(process, from, to);
  },
  unlink: ({ files }, process, its) => files.configuration.unlink(process, its.text()),
  mkdir: ({ files }, process, its) => files.configuration.mkdir(process, its.text()),
  rmdir: ({ files }, process, its) => files.configuration.rmdir(process, its.text()),
  loadModule: ({ machine }, { pid }, its) => {
    const [module = '', ...parameters] = its.text().split('\0');
    return machine.value({
      op: 'module.load',
      pid,
      module,
      ...(parameters.length === 0 ? {} : { parameters }),
    });
  },
  unloadModule: ({ machine }, { pid }, its) =>
    machine.value({ op: 'module.unload', pid, module: its.text() }),
};

function onFile(process: Process, its: Exchange, act: (file: OpenFile) => number): number {
  const file = process.files[its.int(0)];
  return file === undefined ? refuse('EBADF') : act(file);
}

function give(its: Exchange, answer: Uint8Array | number): number {
  return typeof answer === 'number' ? answer : its.give(answer);
}

/** mm/mmap.c:ksys_mmap_pgoff, do_mmap; `argument`s are length, protection, flags and descriptor, the offset is bytes. */
function mmap(process: Process, its: Exchange): number | bigint {
  const length = its.wide(0);
  const protection = its.int(1);
  const shared = (its.int(2) & 3) === mman.MAP_SHARED;
  const offset = its.length() < 8 ? 0n : its.structure().getBigUint64(0, true);
  if ((offset & 0xfffn) !== 0n) return refuse('EINVAL');
  const anonymous = (its.int(2) & mman.MAP_ANONYMOUS) !== 0;
  const file = anonymous ? undefined : process.files[its.int(3)];
  if (!anonymous && file === undefined) return refuse('EBADF');
  if (length === 0n || (its.int(2) & 3) === 0) return refuse('EINVAL');
  if (length > mostAddresses) return refuse('ENOMEM');
  if (file !== undefined) {
    if (!file.opened(4)) return refuse('EACCES');
    if (shared && (protection & mman.PROT_WRITE) !== 0 && !file.opened(2)) return refuse('EACCES');
    const refused = file.mmap(process, { offset, length: Number(length), shared });
    if (refused < 0) return refused;
  }
  return process.memory.map(length, protection, (its.int(2) & mman.MAP_POPULATE) !== 0);
}

/** 47 bits without the last page. */
const mostAddresses = 2n ** 47n - 4096n;

/** The names from the `argument[0]`th on, as many as fit, each ended by a zero byte; answers how many there are in all. */
function list(files: FileSystem, process: Process, its: Exchange): number {
  const names = files.list(process, its.text());
  if (typeof names === 'number') return names;
  let text = '';
  for (const name of names.slice(its.int(0))) {
    if (text.length + name.length * 3 + 1 > frame.bytesMaximum) break;
    text += `${name}\0`;
  }
  its.giveText(text);
  return names.length;
}
