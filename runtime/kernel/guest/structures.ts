/** Structures as ioctls take them: little endian, in the caller's memory. */

import type { Result } from '../../../src/model/outcome.ts';
import type { Field } from '../../abi/layout.ts';
import type { Machine } from './machine.ts';

/** The file that a request is made on. */
export interface On {
  readonly machine: Machine;
  readonly fd: number;
}

export type Done = Extract<Result, { readonly ok: true }>;

/** Every structure of VFIO's begins with its size; null is a pointer that cannot be read. */
export function argszOf(its: DataView | null): number | null {
  return its === null ? null : its.getUint32(0, true);
}

export function u32(its: DataView | null, { offset }: Field): number {
  return its === null ? 0 : its.getUint32(offset, true);
}

export function u16(its: DataView | null, { offset }: Field): number {
  return its === null ? 0 : its.getUint16(offset, true);
}

export function s32(its: DataView | null, { offset }: Field): number {
  return its === null ? 0 : its.getInt32(offset, true);
}

export function u64(its: DataView | null, { offset }: Field): bigint {
  return its === null ? 0n : its.getBigUint64(offset, true);
}

export function put(its: DataView, { offset, kind }: Field, value: number | bigint | string): void {
  if (kind === 'u64') its.setBigUint64(offset, typeof value === 'bigint' ? value : BigInt(value), true);
  else its.setUint32(offset, typeof value === 'number' ? value : Number(value), true);
}

export function field(result: Done, name: string): number | bigint | string {
  const value = result.out?.[name];
  if (value === undefined) throw new Error(`the model answered without ${name}`);
  return value;
}
