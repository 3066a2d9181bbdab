/**
 * How a system call crosses into the sandbox: one block of memory that both sides see. The caller puts the call's
 * number, its process and up to four 64-bit arguments at fixed places and bytes behind them; the kernel leaves the
 * answer and its bytes in the same places. All little endian. Nothing else ever crosses.
 *
 * Invariant: no behaviour; both the host and the guest import it.
 */
export const frame = {
  size: 64 + 65536,
  /** u32: one of `calls`. */
  number: 0,
  /** u32: the calling process. */
  pid: 4,
  /** u64 each. */
  argument: [8, 16, 24, 32],
  /** u32: how many bytes lie at `bytes`, both ways. */
  length: 40,
  /** u32, from the kernel: one of `endings`, unless it is `answered`, which the caller leaves there. */
  ending: 44,
  /** From the kernel: the value, or the negative errno. s32, or s64 where the ending says so. */
  answer: 48,
  /** u32, the host's: the list of arguments that the script's function is called with. */
  list: 56,
  bytes: 64,
  bytesMaximum: 65536,
} as const;

/** From here on calls are the sandbox's own. */
export const firstPrivate = 1000;

/** x86-64's numbers (arch/x86/entry/syscalls/syscall_64.tbl), and the sandbox's own. */
export const calls = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  lstat: 6,
  lseek: 8,
  mmap: 9,
  munmap: 11,
  ioctl: 16,
  pread: 17,
  pwrite: 18,
  fsync: 74,
  /** Both paths, with a zero byte between. */
  rename: 82,
  mkdir: 83,
  rmdir: 84,
  unlink: 87,
  readlink: 89,
  chmod: 90,
  chown: 92,
  eventfd: 290,
  /** As modprobe does it, with what the module needs. */
  loadModule: 313,
  /** delete_module(2): one module, at once or not at all. */
  unloadModule: 176,
  /** The names in a directory, each ended by a zero byte. */
  list: 217,
  /** JSON of `Credentials`; answers the new process's id. */
  spawn: 1000,
  /** JSON of `Credentials`: what the process is from now on; its descriptors stay. */
  become: 1001,
  /** Kernel log lines from line `argument[0]` on, as many as fit, each ended by a newline; answers how many. */
  log: 1002,
  /** A second descriptor, in process `argument[1]`, of the open file behind descriptor `argument[0]`. */
  pass: 1003,
  exit: 1004,
} as const;

export type CallName = keyof typeof calls;

/** How a call ended. */
export const endings = {
  answered: 0,
  /** The same, with an answer of 64 bits. */
  answeredWide: 3,
  /** The call would block until another process lets go; nothing was done. The bytes say on what it waits. */
  wouldBlock: 1,
  /** A fault killed the process. */
  killed: 2,
} as const;
