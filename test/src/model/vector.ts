import { bare, single, user } from './machine.ts';
import type { Session } from './session.ts';

/** What a kernel answers; where 6.1 and 6.12 differ, both. */
type Answer = unknown;
interface Differs {
  readonly '6.1': Answer;
  readonly '6.12': Answer;
}

export interface Vector {
  readonly id: string;
  readonly sequence: string;
  readonly run: (session: Session) => readonly Answer[];
  readonly expected: readonly Answer[] | { readonly [Id in keyof Differs]: readonly Answer[] };
}

export const number = 'a number';
export const U = user.pid;
export const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** A descriptor is whatever number is free. */
export function descriptor(answer: number | string): number | string {
  return typeof answer === 'number' && answer >= 3 ? number : answer;
}

/** T10: the parameter is Y and the group-less device is bound to vfio-pci. */
export function fake(s: Session): void {
  s.parameter('Y');
  s.take(bare);
}

/** The fake group in a container, without an IOMMU driver. */
export function fakeInContainer(s: Session): { c: number; g: number } {
  fake(s);
  const c = s.open('vfio');
  const g = s.open('noiommu-0');
  s.setContainer(g, c);
  return { c, g };
}

/** The single-function real group in a container of type 1 or 3. */
export function realInContainer(s: Session, type?: number): { c: number; g: number } {
  s.take(single);
  const c = s.open('vfio');
  const g = s.open('8');
  s.setContainer(g, c);
  if (type !== undefined) s.setIommu(c, type);
  return { c, g };
}

/** The single-function real group in a container of type 3 that tracks dirty pages. */
export function tracking(s: Session): number {
  const { c } = realInContainer(s, 3);
  s.dirty(c, 1);
  return c;
}
