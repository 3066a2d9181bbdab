import { dispatch } from '../../src/model/dispatch.ts';
import type { Op, OpKind } from '../../src/model/op.ts';
import { type ProfileId, profiles } from '../../src/model/profiles.ts';
import type { State, World } from '../../src/model/state.ts';
import { provocations } from '../src/model/provocations.ts';
import { Session } from '../src/model/session.ts';
import { deviceVectors } from '../src/model/vectors-device.ts';
import { noiommuVectors } from '../src/model/vectors-noiommu.ts';
import { realVectors } from '../src/model/vectors-real.ts';
import { sysfsVectors } from '../src/model/vectors-sysfs.ts';
import { twoWrongs } from './two-wrongs.ts';

/** An operation in a state, as a kernel answers it in the conformance suite: from a vector, a provocation, or crossed. */
export interface Input {
  readonly world: World;
  readonly state: State;
  readonly op: Op;
  readonly from: 'vector' | 'provocation' | 'crossing';
}

/** What vectors and provocations ask of one kernel, by kind of operation. */
export function inputsOf(profile: ProfileId): ReadonlyMap<OpKind, readonly Input[]> {
  const inputs = new Map<OpKind, Input[]>();
  const record = (session: Session, from: Input['from']) => {
    for (const { world, state, op: asked } of session.calls) {
      if (!world.processes.has(asked.pid)) continue;
      const op = dispatch(state, asked);
      const same = inputs.get(op.op) ?? [];
      inputs.set(op.op, same);
      same.push({ world, state, op, from });
    }
  };
  // The vectors were run on kernels that claim groups.
  const vectors = [...noiommuVectors, ...realVectors, ...deviceVectors, ...sysfsVectors];
  for (const { run } of profiles[profile].viability === 'claim' ? vectors : []) {
    const session = new Session(profile);
    run(session);
    record(session, 'vector');
  }
  for (const provoke of [...Object.values(provocations), ...twoWrongs]) {
    const session = provoke(profile);
    if (session !== null) record(session, 'provocation');
  }
  return inputs;
}

/**
 * Each input again with one argument, and with two, as others of its kind have them: in such a call two things are wrong at
 * once, and it shows which of them the kernel looks at first.
 */
export function* crossed(inputs: readonly Input[]): Iterable<Input> {
  const values = new Map<string, Map<string, unknown>>();
  for (const { op } of inputs) {
    for (const [field, value] of Object.entries(op)) {
      const known = values.get(field) ?? new Map<string, unknown>();
      values.set(field, known);
      known.set(JSON.stringify(value, written), value);
    }
  }
  const changes = [...values].flatMap(([field, known]) =>
    field === 'op' ? [] : [...known.values()].map((value) => ({ [field]: value })),
  );
  for (const first of changes) for (const input of inputs) yield changed(input, first);
  for (const [place, first] of changes.entries()) {
    for (const second of changes.slice(place + 1)) {
      for (const input of inputs) yield changed(input, { ...first, ...second });
    }
  }
}

function written(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function changed(input: Input, fields: Readonly<Record<string, unknown>>): Input {
  const op = { ...input.op, ...fields } as unknown as Op;
  return { ...input, op: dispatch(input.state, op), from: 'crossing' };
}
