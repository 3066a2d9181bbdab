import type { Machine } from './machine.ts';
import type { Argument } from './open-file.ts';
import type { Process } from './process.ts';
import { argszOf } from './structures.ts';

/** A request that the file has no handler for: the model says what its number means there, if anything. */
export function unknownRequest(
  { machine, fd }: { readonly machine: Machine; readonly fd: number },
  { pid }: Process,
  request: number,
  argument: Argument,
): number {
  return machine.value({ op: 'ioctl', pid, fd, request, argsz: argszOf(argument.structure(4)) });
}
