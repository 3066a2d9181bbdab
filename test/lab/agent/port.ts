/**
 * The host's end of the port to a guest's agent: one request, one answer, synchronously, so that everything that works
 * on a `Backend` works on a guest.
 */
import { closeSync, readSync, writeSync } from 'node:fs';

/** The numbers of `agent.c`. */
export const calls = {
  open: 1,
  close: 2,
  read: 3,
  write: 4,
  pread: 5,
  pwrite: 6,
  lseek: 7,
  ioctl: 8,
  mmap: 9,
  munmap: 10,
  list: 11,
  readlink: 12,
  lstat: 13,
  stat: 14,
  chown: 15,
  chmod: 16,
  insertModule: 17,
  removeModule: 18,
  pass: 19,
  take: 20,
  eventfd: 21,
  fsync: 22,
  rename: 23,
  unlink: 24,
  mkdir: 25,
  rmdir: 26,
  spawn: 100,
  end: 101,
  glimpse: 102,
  log: 103,
  hear: 104,
} as const;

/** What the agent answers for a call that did not return in time; no errno that user space sees (ERESTARTSYS). */
export const neverCame = -512;

const requestHead = 64;
const answerHead = 16;
const most = 65_536;
const nothing = new Uint8Array(0);

export class Port {
  /** Named pipes of QEMU's `pipe` character device. */
  private readonly to: number;
  private readonly from: number;
  private readonly request = Buffer.alloc(requestHead + most);
  private readonly answer = Buffer.alloc(answerHead + most);
  private given = 0;
  /** How many calls were made. */
  count = 0;

  /** What the machine said last, for the one who asks why it ended. */
  private readonly lastWords: () => string;

  constructor(to: number, from: number, lastWords: () => string) {
    this.lastWords = lastWords;
    this.to = to;
    this.from = from;
  }

  /** The value or negative errno; what was given back lies in `bytes` until the next call. */
  call(
    process: number,
    number: number,
    its: readonly (number | bigint)[],
    bytes: Uint8Array = nothing,
    milliseconds = patience,
  ): bigint {
    const { request } = this;
    if (bytes.length > most) throw new Error(`${bytes.length} bytes are more than a request holds`);
    request.fill(0, 0, requestHead);
    request.writeUInt32LE(bytes.length, 0);
    request.writeUInt16LE(number, 4);
    request.writeUInt16LE(process, 6);
    request.writeUInt32LE(milliseconds, 8);
    for (const [index, value] of its.entries()) {
      request.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), 16 + 8 * index);
    }
    request.set(bytes, requestHead);
    this.send(requestHead + bytes.length);
    this.receive(0, answerHead);
    this.given = this.answer.readUInt32LE(0);
    this.receive(answerHead, this.given);
    this.count += 1;
    return this.answer.readBigInt64LE(8);
  }

  /** A copy of what the last call gave back. */
  bytes(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.answer, answerHead, answerHead + this.given);
  }

  text(): string {
    return this.answer.toString('utf8', answerHead, answerHead + this.given);
  }

  close(): void {
    closeSync(this.to);
    closeSync(this.from);
  }

  private send(length: number): void {
    for (let sent = 0; sent < length; ) sent += writeSync(this.to, this.request, sent, length - sent);
  }

  private receive(at: number, length: number): void {
    for (let got = 0; got < length; ) {
      const more = readSync(this.from, this.answer, at + got, length - got, null);
      if (more === 0) throw new GuestGone(`the guest ended; it said last:\n${this.lastWords()}`);
      got += more;
    }
  }
}

/** The guest's milliseconds that a call may take: far more than any that returns. */
const patience = 60_000;

/** The guest is no more: it stopped, or its kernel did. */
class GuestGone extends Error {
  override readonly name = 'GuestGone';
}
