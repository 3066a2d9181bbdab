import type { Op } from '../../../src/model/op.ts';
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

export function eventfd(s: Session): number {
  return Number(s.call({ op: 'eventfd', pid }));
}
