/** How iommufd takes its structures: they begin with their size, and may be longer than the kernel knows them, or shorter. */
import type { Op } from '../../../src/model/op.ts';
import type { Field, Layout } from '../../abi/layout.ts';
import type { Argument } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, field, type On, put } from './structures.ts';

/** What a request knows of its caller's structure: its size, and whether more than zeros stand behind it. */
export interface Framing {
  readonly pid: number;
  readonly fd: number;
  readonly argsz: number | null;
  readonly tail: boolean;
}

/** drivers/iommu/iommufd/main.c:iommufd_fops_ioctl: get_user of the size, copy_struct_from_user of it all. */
export function framed(fd: number, { pid }: Process, argument: Argument, known: number): Framing {
  const argsz = argszOf(argument.structure(4));
  if (argsz === null || argsz <= known) return { pid, fd, argsz, tail: false };
  const memory = argument.memory();
  if (memory === null || memory.length < argsz) return { pid, fd, argsz: null, tail: false };
  return { pid, fd, argsz, tail: memory.subarray(known, argsz).some((byte) => byte !== 0) };
}

/** A request: its structure becomes an operation, and the fields named are written back. */
export function request<Fields extends { readonly size: Field; readonly [name: string]: Field }>(
  { size, fields }: Layout<Fields>,
  out: readonly (keyof Fields & string)[],
  opOf: (framing: Framing, its: DataView | null, process: Process) => Op,
): (on: On, process: Process, argument: Argument) => number {
  return ({ machine, fd }, process, argument) => {
    const its = argument.structure(size);
    const result = machine.step(opOf(framed(fd, process, argument, size), its, process));
    if (typeof result === 'number') return result;
    if (its === null) return refuse('EFAULT');
    for (const name of out) {
      const place = fields[name];
      if (place !== undefined && result.out?.[name] !== undefined) put(its, place, field(result, name));
    }
    return result.value;
  };
}

/**
 * A structure of which a caller need not have more than the first `least` bytes (struct iommufd_ioctl_op's min_size), with
 * zeros in the place of what is missing, and what is asked of it. Null where nothing can be read.
 */
export function lenient(
  fd: number,
  process: Process,
  argument: Argument,
  { size }: { readonly size: number },
  least: number,
): { readonly framing: Framing; readonly its: DataView | null } {
  const framing = framed(fd, process, argument, size);
  const told = Math.min(framing.argsz ?? 0, size);
  const memory = argument.memory();
  if (told < least || memory === null) return { framing, its: null };
  if (memory.length < told) return { framing: { ...framing, argsz: null }, its: null };
  const whole = new Uint8Array(size);
  whole.set(memory.subarray(0, told));
  return { framing, its: new DataView(whole.buffer) };
}

/** Writes back as much of a structure as its caller has (iommufd_ucmd_respond). */
export function respond(argument: Argument, { argsz }: Framing, its: DataView): void {
  argument.memory()?.set(new Uint8Array(its.buffer, 0, Math.min(argsz ?? 0, its.byteLength)));
}
