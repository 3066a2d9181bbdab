import type { Op } from '../../../src/model/op.ts';
import type { OpenFile, State, World } from '../../../src/model/state.ts';
import { pick, type Regions } from './random-mappings.ts';

/** What a random operation is made of: numbers, and the state in which it is done. */
export interface Draw {
  /** The last two digits choose what kind of file, the others what is done. */
  readonly kind: number;
  readonly pid: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** What operations on files of sysfs may name: on a live machine not every function, or it would be lost. */
export interface Cast {
  readonly devices: readonly string[];
  readonly drivers: readonly string[];
}

export type Context = Omit<Draw, 'pid'> & {
  readonly pid: number;
  readonly pids: readonly number[];
  readonly world: World;
  readonly state: State;
  readonly regions: Regions;
  readonly cast: Cast;
};
export type Maker = (its: Context) => Op;

/** Descriptors of the process, those of a kind of file three times out of four; else any, open or not. */
export function descriptors({ state, pid, a, b }: Context, kind?: OpenFile['kind']): readonly number[] {
  const files = state.descriptors.find((table) => table.pid === pid)?.files ?? [];
  const open = files.flatMap((file, place) =>
    file === -1 ? [] : [{ fd: place + 3, file: state.files[file] }],
  );
  const wanted = open.filter(({ file }) => file?.kind === kind).map(({ fd }) => fd);
  if (wanted.length > 0 && (a + b) % 4 !== 0) return wanted;
  return [...open.map(({ fd }) => fd), files.length + 3, -1];
}

/** As `descriptors`, always those of the kind where there are any. */
export function surely(its: Context, kind: OpenFile['kind']): readonly number[] {
  return descriptors({ ...its, a: 1, b: 0 }, kind);
}

/** Sizes that structures have not. */
export const argsizes = [null, 0, 7, 8, 15, 16, 19, 20, 23, 24, 31, 32, 47, 48, 64, 116];

export function call(
  its: Context,
  size: number,
  kind: OpenFile['kind'],
): { pid: number; fd: number; argsz?: number | null } {
  const fd = pick(descriptors(its, kind), its.a);
  return { pid: its.pid, fd, argsz: its.c % 7 === 0 ? pick(argsizes, its.c) : size };
}
