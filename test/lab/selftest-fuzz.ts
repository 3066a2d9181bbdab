/** Random sequences about page tables, each step on the model and on iommufd's self-test at once. */
import type { Op } from '../../src/model/op.ts';
import { mock, other, twin } from '../src/model/selftest-session.ts';
import { toJson } from './calls.ts';
import type { Asked, Tally } from './fuzz.ts';
import { lotOf } from './fuzz.ts';
import { type BothSession, SelftestBench } from './selftest.ts';
import { drawOperation, drawWrite } from './selftest-draw.ts';

const steps = 60;
/** Disagreements after which a run stops. */
const enough = 5;

export function selftestFuzz(asked: Asked, say: (line: string) => void): Tally {
  const bench = new SelftestBench(asked.kernel);
  const began = Date.now();
  const disagreements: string[] = [];
  const guards = new Set<string>();
  let [sequences, operations, succeeded] = [0, 0, 0];
  try {
    for (let index = asked.from; index < asked.from + asked.count; index += 1) {
      if (disagreements.length === enough || Date.now() - began > asked.minutes * 60_000) break;
      const { session, answer } = bench.session((its) => acted(its, asked.seed, index));
      sequences += 1;
      operations += session.kernel.asked;
      succeeded += session.kernel.asked - answer.refused;
      if (session.differs.length === 0) for (const guard of session.guards) guards.add(guard);
      else {
        const report = [
          `DIFFERS sequence ${index} of seed ${asked.seed} on the self-test`,
          ...[...answer.said, ...session.differs].map((line) => `  ${line}`),
        ].join('\n');
        disagreements.push(report);
        say(report);
      }
    }
  } finally {
    bench.stop();
  }
  const seconds = Math.round((Date.now() - began) / 1000);
  const its = { sequences, operations, succeeded, boots: 1, seconds, disagreements };
  return { ...its, needed: {}, guards: [...guards].sort() };
}

interface Acted {
  /** Every step up to the first that differed. */
  readonly said: readonly string[];
  readonly refused: number;
}

/** Three devices at one iommufd, one of which tells no dirty pages; then whatever is drawn. */
function acted(s: BothSession, seed: number, index: number): Acted {
  const lot = lotOf(seed, index);
  const { d, i } = s.parented(lot.of([3, 3, 1, 0]), lot.of([mock, mock, other]));
  const devices = [d, ...[twin].map((device) => s.further(device, i).d)];
  const queues: number[] = [];
  const said: string[] = [];
  let refused = 0;
  for (let step = 0; step < steps && s.differs.length === 0; step += 1) {
    const its = { lot, state: s.state, fd: i, devices, queues };
    if (lot.number(8) === 0) {
      const { hwpt, iovas } = drawWrite(its);
      said.push(`a device writes to ${iovas.join(', ')} of ${hwpt}`);
      s.wrote(i, hwpt, ...iovas);
      continue;
    }
    const op: Op = drawOperation(its);
    const result = s.result(op);
    said.push(`${toJson(op)} ${toJson(result)}`);
    if (!result.ok) refused += 1;
    else if (op.op === 'iommufd.fault_queue_alloc') queues.push(result.value);
    else if (op.op === 'close') queues.splice(queues.indexOf(op.fd), 1);
  }
  return { said, refused };
}
