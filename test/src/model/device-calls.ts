import type { Op } from '../../../src/model/op.ts';
import type { Hardware } from '../../../src/model/state.ts';
import { pid } from './provocation.ts';
import type { Session } from './session.ts';

type Asked<Kind extends Op['op']> = Partial<Omit<Extract<Op, { op: Kind }>, 'op' | 'pid' | 'fd'>>;

/** SET_IRQS of INTX, one vector, an eventfd as its trigger; what is told otherwise is otherwise. */
export function irqs(s: Session, fd: number, over: Asked<'device.set_irqs'> = {}): number | string {
  const { data = [eventfd(s)], ...rest } = over;
  return s.call({ op: 'device.set_irqs', pid, fd, flags: 36, index: 0, start: 0, count: 1, data, ...rest });
}

/** A write of four bytes to BAR 0. */
export function ioeventfd(s: Session, fd: number, over: Asked<'device.ioeventfd'> = {}): number | string {
  const { eventfd: its = eventfd(s), ...rest } = over;
  const op = { op: 'device.ioeventfd', pid, fd, flags: 4, offset: 16n, data: 1n } as const;
  return s.call({ ...op, eventfd: its, ...rest });
}

export function feature(s: Session, fd: number, over: Asked<'device.feature'> = {}): number | string {
  return s.call({ op: 'device.feature', pid, fd, flags: 0x20003, token: '', eventfd: -1, ...over });
}

/** At a place in a region. */
export function at(region: number, place: number): bigint {
  return (BigInt(region) << 40n) + BigInt(place);
}

/** The bytes that are known, or how many, or the errno. */
export function read(s: Session, fd: number, offset: bigint, count = 1): unknown {
  const result = s.result({ op: 'device.read', pid, fd, offset, count });
  if (!result.ok) return 'errno' in result ? result.errno : 'blocked';
  return result.out?.['bytes'] ?? result.value;
}

export function write(s: Session, fd: number, offset: bigint, ...bytes: number[]): number | string {
  return s.call({ op: 'device.write', pid, fd, offset, bytes });
}

export function mmap(
  s: Session,
  fd: number,
  offset: bigint,
  over: Asked<'device.mmap'> = {},
): number | string {
  return s.call({ op: 'device.mmap', pid, fd, offset, length: 4096, shared: true, ...over });
}

export function hotReset(s: Session, fd: number, over: Asked<'device.hot_reset'> = {}): number | string {
  return s.call({ op: 'device.hot_reset', pid, fd, flags: 0, groups: [], ...over });
}

/** A world that tells more of `address` than a snapshot does. */
export function tell(s: Session, address: string, more: Partial<Hardware>): void {
  const hardware = s.world.hardware.map((its) => (its.address === address ? { ...its, ...more } : its));
  const devices = new Map(hardware.map((its) => [its.address, its]));
  s.world = { ...s.world, hardware, devices };
}

export function eventfd(s: Session): number {
  return Number(s.call({ op: 'eventfd', pid }));
}
