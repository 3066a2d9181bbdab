/** Sequences of operations, drawn by lot, whose descriptors are tied to the operation that made them. */
import type { Op } from '../../src/model/op.ts';
import type { State, World } from '../../src/model/state.ts';
import { step } from '../../src/model/step.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';
import { type Cast, contextOf, type Draw, operation } from '../runtime/kernel/random-operations.ts';
import { avoids } from './avoided.ts';
import { actors, regions } from './cast.ts';
import type { Lot } from './lot.ts';
import { prelude, themedPrelude } from './prelude.ts';
import type { Theme } from './themes.ts';

export interface Step {
  /** Its place in the sequence as it was drawn: stays when others are dropped. */
  readonly id: number;
  readonly op: Op;
  /** Which earlier step's descriptor a field holds: `fd`, `container`, `data.1`. */
  readonly from: Readonly<Record<string, number>>;
}

export type Sequence = readonly Step[];

const shortest = 5;
const longest = 35;

/**
 * The same for the same seed, world and state. A call that would not return can only be the last, but for themes in which
 * others go on while one that has begun waits. With a theme seven in eight operations are its own.
 */
export function drawSequence(lot: Lot, world: World, start: State, cast: Cast, theme?: Theme): Sequence {
  const maker = new Maker(world, start, theme?.goesOn === true);
  const begun =
    theme === undefined ? prelude(lot, world, start, cast) : themedPrelude(lot, world, start, cast, theme);
  for (const op of begun) maker.add(op);
  const length = shortest + lot.number(longest - shortest);
  for (let made = 0; made < length; made += 1) {
    const number = (below: number) => lot.number(below);
    const draw = {
      kind: number(1_000_000),
      pid: number(10),
      a: number(10000),
      b: number(10000),
      c: number(10000),
    };
    if (!maker.add(operationOf(draw, world, maker.state, cast, theme))) break;
  }
  return maker.steps;
}

function operationOf(draw: Draw, world: World, state: State, cast: Cast, theme: Theme | undefined): Op {
  const pids = actors.map(({ pid }) => pid);
  if (theme === undefined || draw.kind % 8 === 0) return operation(draw, world, state, pids, regions, cast);
  const its = contextOf(draw, { world, state, pids, regions, cast });
  return pick(theme.makers, Math.floor(draw.kind / 8))(its);
}

/** Operations whose value is a descriptor; a passed one is the receiver's. */
export function makesDescriptor({ op }: Op): boolean {
  return /^(open|eventfd|descriptor\.pass|group\.get_device_fd|iommufd\.fault_queue_alloc|kvm\.create_(vm|device))$/.test(
    op,
  );
}

class Maker {
  readonly steps: Step[] = [];
  state: State;
  private readonly world: World;
  private readonly goesOn: boolean;
  /** By `pid fd`: the step that made it. */
  private readonly makers = new Map<string, number>();

  constructor(world: World, start: State, goesOn: boolean) {
    this.world = world;
    this.state = start;
    this.goesOn = goesOn;
  }

  /** False: the call would not return, so nothing is to follow. */
  add(op: Op): boolean {
    if (avoids(this.world, this.state, op)) return true;
    const id = this.steps.length;
    const from: Record<string, number> = {};
    for (const [field, fd] of descriptorsIn(op)) {
      const maker = this.makers.get(`${op.pid} ${fd}`);
      if (maker !== undefined) from[field] = maker;
    }
    this.steps.push({ id, op, from });
    const { result, state } = step(this.world, this.state, op);
    const begun = state !== this.state;
    this.state = state;
    if (result.ok && op.op === 'close') this.makers.delete(`${op.pid} ${op.fd}`);
    if (result.ok && makesDescriptor(op)) {
      this.makers.set(`${op.op === 'descriptor.pass' ? op.to : op.pid} ${result.value}`, id);
    }
    return result.ok || !('blocks' in result) || (this.goesOn && begun);
  }
}

/** Fields that hold numbers of descriptors. */
const named = ['fd', 'container', 'iommufd', 'eventfd', 'file'];

function* descriptorsIn(op: Op): Iterable<[string, number]> {
  for (const [field, value] of Object.entries(op)) {
    if (named.includes(field) && typeof value === 'number') yield [field, value];
    if (field !== 'data' || !Array.isArray(value)) continue;
    for (const [place, each] of value.entries()) yield [`data.${place}`, Number(each)];
  }
}

/** The operation with its descriptors as they are numbered now; one whose maker is gone or failed is -1. */
export function resolve({ op, from }: Step, made: ReadonlyMap<number, number>): Op {
  const fields: Record<string, unknown> = { ...op };
  for (const [field, maker] of Object.entries(from)) {
    const fd = made.get(maker) ?? -1;
    const [name = '', place] = field.split('.');
    if (place === undefined) fields[name] = fd;
    else
      fields[name] = (fields[name] as readonly number[]).map((each, at) =>
        at === Number(place) ? fd : each,
      );
  }
  return fields as unknown as Op;
}
