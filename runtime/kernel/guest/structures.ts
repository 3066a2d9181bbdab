/** Structures as ioctls take them: little endian, in the caller's memory. */

import type { Done } from '../../../src/model/guard.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Field, Layout } from '../../abi/layout.ts';
import type { Machine } from './machine.ts';

/** The file that a request is made on. */
export interface On {
  readonly machine: Machine;
  readonly fd: number;
  /** The file's place in `State.files`. */
  readonly id: number;
}

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

/**
 * An operation that is filled in anew for each request of its kind: to the sandbox's engine a new object costs as much as
 * ten other things, and the model keeps none.
 */
export type Reused<O extends Op> = { -readonly [Argument in keyof O]: O[Argument] };

/**
 * How the fields of an answer are written where they lie in a structure of words. Answers that the model shares, as those
 * of what never changes are, are laid out once.
 */
export function writer<Fields extends { readonly [name: string]: Field }>(
  { fields }: Layout<Fields>,
  names: readonly (keyof Fields & string)[],
): (its: Int32Array, answer: Done) => void {
  const known = new WeakMap<Done, readonly number[]>();
  return (its, answer) => {
    let laid = known.get(answer);
    if (laid === undefined) {
      laid = names.flatMap((name) => wordsOf(fields[name] as Field, field(answer, name)));
      known.set(answer, laid);
    }
    for (let at = 0; at < laid.length; at += 2) its[laid[at] as number] = laid[at + 1] as number;
  };
}

/** Places and values, one after another. */
function wordsOf({ offset, kind }: Field, value: number | bigint | string): readonly number[] {
  const whole = BigInt(value);
  const low = [offset / 4, Number(BigInt.asIntN(32, whole))];
  return kind === 'u64' ? [...low, offset / 4 + 1, Number(BigInt.asIntN(32, whole >> 32n))] : low;
}

export function field(result: Done, name: string): number | bigint | string {
  const value = result.out?.[name];
  if (value === undefined) throw new Error(`the model answered without ${name}`);
  return value;
}

/** 16 bytes as a UUID is written. */
export function uuid(its: DataView, at: number): string {
  let text = '';
  for (let place = 0; place < 16; place++) {
    if (place === 4 || place === 6 || place === 8 || place === 10) text += '-';
    text += its
      .getUint8(at + place)
      .toString(16)
      .padStart(2, '0');
  }
  return text;
}
