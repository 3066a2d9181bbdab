/** Calls that a scenario makes in the guest, each with the answer that it must have: a witness beside the model and the kernel. */
import type { Errno } from '../../src/model/errno.ts';
import type { Call } from './calls.ts';

export interface Line {
  readonly call: Call;
  /** Name for the descriptor that it answers. */
  readonly as?: string;
  /** A value, `fd` for any descriptor, or an errno. Absent: whatever the model says. */
  readonly answers?: number | 'fd' | Errno;
  /** Fields that the kernel writes back. */
  readonly out?: { readonly [field: string]: number | bigint };
}

export const open = (path: string, as: string, answers: 'fd' | Errno = 'fd'): Line => ({
  call: { op: 'open', path },
  as,
  answers,
});

export const override = (device: string, text: string): Line => ({
  call: { op: 'override.write', device, text },
  answers: 0,
});

export const bind = (device: string, driver: string, answers: 0 | Errno = 0): Line => ({
  call: { op: 'driver.bind', driver, device },
  answers,
});

export const unbind = (device: string, driver: string): Line => ({
  call: { op: 'driver.unbind', driver, device },
  answers: 0,
});
