/**
 * The same calls on the model and on the kernel that runs here, answer by answer: the value or errno, the fields that
 * the kernel writes back, and what every file that the call touches shows afterwards.
 */
import type { Backend } from '../../../runtime/backend.ts';
import { observe } from '../../../runtime/lower/observe.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import type { Outcome } from '../../../src/model/outcome.ts';
import type { State, World } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { show, touched } from '../../../src/model/view.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { type Answer, type Call, type Descriptors, perform, toJson, toOp } from '../calls.ts';
import type { Line } from '../lines.ts';

export class Both {
  private readonly backend: Backend;
  private readonly world: World;
  private state: State;
  private readonly predicted: Descriptors = new Map();
  private readonly real: Descriptors = new Map();

  constructor(backend: Backend, snapshot: Snapshot) {
    this.backend = backend;
    const { world, state } = worldFrom(snapshot, { virtualFunctions: true });
    this.world = world;
    this.state = state;
  }

  /** What differs between table, model and kernel; empty: nothing. */
  run(line: Line): readonly string[] {
    const op = toOp(line.call, ROOT, this.predicted);
    // /dev/null and its like are no part of the model.
    const files = touched(this.world, this.state, op).filter((path) => ours.test(path));
    const outcome = step(this.world, this.state, op);
    this.state = outcome.state;
    const answer = perform(this.backend, toOp(line.call, ROOT, this.real));
    if (line.as !== undefined && answer.errno === null) this.real.set(line.as, answer.value);
    if (line.as !== undefined && outcome.result.ok) this.predicted.set(line.as, outcome.result.value);
    if (line.call.op === 'close' && outcome.result.ok) this.forget(line.call.fd);
    return [...differences(line, outcome, answer), ...files.flatMap((path) => this.difference(path))];
  }

  private forget(name: string | number): void {
    this.predicted.delete(`${name}`);
    this.real.delete(`${name}`);
  }

  private difference(path: string): readonly string[] {
    const predicted = show(this.world, this.state, path);
    const observed = observe(this.backend, path);
    return predicted === observed
      ? []
      : [`${path} shows ${toJson(observed)}, the model says ${toJson(predicted)}`];
  }
}

const ours = /^\/(dev\/vfio|sys|proc)\//;

/** Deeds on files answer counts of bytes, and descriptors are numbers of their own in each kernel. */
const valueless = /^(module|parameter|override|driver|drivers|node|open|close|group\.get_device_fd)/;

export function differences(line: Line, { result }: Outcome, answer: Answer): readonly string[] {
  const seen = answer.errno ?? answer.value;
  const said = result.ok ? result.value : 'errno' in result ? result.errno : 'blocks';
  const found: string[] = [];
  const agree = valueless.test(line.call.op) && result.ok ? answer.errno === null : seen === said;
  if (!agree)
    found.push(`the kernel answers ${seen}, the model ${said}${result.ok ? '' : ` (${result.guard})`}`);
  const expected = line.answers;
  const right = expected === undefined || (expected === 'fd' ? answer.errno === null : seen === expected);
  if (!right && !(expected === 0 && valueless.test(line.call.op) && answer.errno === null)) {
    found.push(`the kernel answers ${seen}, the table says ${expected}`);
  }
  const fields = { ...(result.ok ? result.out : {}), ...line.out };
  for (const [field, value] of Object.entries(fields)) {
    if (answer.errno !== null || answer.out[field] === value) continue;
    found.push(`the kernel writes ${field} ${answer.out[field]}, expected ${value}`);
  }
  return found;
}

export function describeCall({ op, ...rest }: Call): string {
  return `${op} ${toJson(rest)}`;
}
