/** Switches CAP_SYS_RAWIO off for one deed of this thread, as a process without it would do it with our descriptors. */
import koffi from 'koffi';

const CAP_SYS_RAWIO = 17;
const VERSION_3 = 0x20080522;

const libc = koffi.load(null);
const capget: (header: Uint8Array, data: Uint8Array) => number = libc.func('int capget(void *, void *)');
const capset: (header: Uint8Array, data: Uint8Array) => number = libc.func('int capset(void *, void *)');

export function withoutRawIo<T>(act: () => T): T {
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, VERSION_3, true);
  // Two halves of { effective, permitted, inheritable }; the capability is in the first half.
  const held = new Uint8Array(24);
  succeed('capget', capget(header, held));
  const lowered = held.slice();
  const view = new DataView(lowered.buffer);
  view.setUint32(0, view.getUint32(0, true) & ~(1 << CAP_SYS_RAWIO), true);
  succeed('capset', capset(header, lowered));
  try {
    return act();
  } finally {
    succeed('capset', capset(header, held));
  }
}

function succeed(call: string, answer: number): void {
  if (answer !== 0) throw new Error(`${call}: errno ${koffi.errno()}`);
}
