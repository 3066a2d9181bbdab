/** What must differ between model and kernel, each with its reason. An entry that no run needs any more fails the suite. */
import type { Op } from '../../src/model/op.ts';

/** A field of an answer, or the line of the log (`log`) that an operation makes: as the kernel has it, and the model. */
export interface Differing {
  readonly op: Op;
  readonly field: string;
  readonly is: number | bigint | string | undefined;
  readonly said: number | bigint | string;
}

const waits = /^\S+ \S+: (No device request channel registered, blocked until released by user)$/;

/** The same, or that whoever has the device open is told by the eventfd that was given for it. */
const requests = (line: unknown) =>
  waits.test(`${line}`) || /: Relaying device request to user \(#0\)$/.test(`${line}`);

/** Characters of a line of the log that is compared. */
export const longest = 900;

interface Declared {
  readonly what: string;
  readonly why: string;
  readonly covers: (differing: Differing) => boolean;
}

/** By name. */
export type Differences = Readonly<Record<string, Declared>>;

export const declared: Differences = {
  'removal-again': {
    what: 'whether a call that takes devices away waits for a further one, as the log names it, when the first is let go at the end of a sequence',
    why: 'all descriptors are closed together then, and whether that of the further one is closed when the call comes to it only time tells',
    covers: ({ op, field, is, said }) => op.op === 'close' && field === 'log' && is === '' && requests(said),
  },
  'long-line': {
    what: 'a line of the log of more than 900 characters, which quotes the parameter of a module',
    why: 'the kernel cuts it to a kibibyte (kernel/printk/printk.c:vprintk_store), and the log of the lab, of four, may lose it',
    covers: ({ op, field, is, said }) =>
      op.op === 'module.load' && field === 'log' && is === '' && `${said}`.length > longest,
  },
};

/** How often each entry was needed. */
export const needed = new Map<string, number>();

/** Whether it must differ: then it counts as needed. */
export function mustDiffer(differing: Differing, table: Differences = declared): boolean {
  for (const [name, { covers }] of Object.entries(table)) {
    if (!covers(differing)) continue;
    needed.set(name, (needed.get(name) ?? 0) + 1);
    return true;
  }
  return false;
}
