import type { Guard } from './guard.ts';
import type { Op } from './op.ts';

/** Arguments behind a pointer, as the kernel reads them: registers are 64 or 32 bits wide, whatever was asked. */

type Pointer = { readonly argsz?: number | null };

/** The first two tests of nearly every VFIO ioctl: the structure can be read, and is large enough. */
export function structure<O extends Op & Pointer>(
  op: O['op'],
  size: number,
  citation: Guard<O>['citation'],
): readonly [Guard<O>, Guard<O>] {
  return [
    unreadable(op, citation),
    {
      id: `${op}.argsz`,
      words: `argsz is less than the ${size} bytes of the structure`,
      errno: 'EINVAL',
      citation,
      // As `shorter` has it: a call of another function costs an interpreter as much as the whole test.
      applies: (_world, _state, { argsz }) => argsz !== undefined && argsz !== null && !(argsz >= size),
    },
  ];
}

export function unreadable<O extends Op & Pointer>(op: O['op'], citation: Guard<O>['citation']): Guard<O> {
  return {
    id: `${op}.fault`,
    words: 'the argument cannot be read from memory',
    errno: 'EFAULT',
    citation,
    applies: (_world, _state, asked) => asked.argsz === null,
  };
}

/** Whether argsz is told and less than `size` bytes. */
export function shorter({ argsz }: Pointer, size: number): boolean {
  return argsz !== undefined && argsz !== null && !(argsz >= size);
}

export function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
