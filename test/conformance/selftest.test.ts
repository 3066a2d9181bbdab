import { describe, expect, it } from 'vitest';
import type { Op } from '../../src/model/op.ts';
import type { Result } from '../../src/model/outcome.ts';
import { ROOT, worldFrom } from '../../src/model/world.ts';
import { memoryAt, vectorActors } from '../lab/vector-session.ts';
import { SelftestSession, selftestSnapshot } from '../src/model/selftest-session.ts';
import { selftestVectors } from '../src/model/vectors-selftest.ts';
import { processesOf } from './cast.ts';
import { Run } from './run.ts';
import { simulatedExecutor } from './simulated.ts';

/** What the lab asks iommufd's self-test, on the simulated kernel: all but that devices write, which none does there. */
const profile = '6.12';
const [{ pid }] = vectorActors;

/** The calls of a vector as the first actor makes them. */
class Asking extends SelftestSession {
  readonly asked: Op[] = [];

  override result(op: Op): Result {
    const its = { ...op, ...('vaddr' in op ? { vaddr: memoryAt(op.vaddr, op.memory) } : {}) };
    this.asked.push({ ...its, ...(op.pid === ROOT ? { pid } : {}) });
    return super.result(op);
  }
}

/** All of VFIO's modules loaded: the way back loads them all. */
const loaded = selftestSnapshot({
  modules: Object.fromEntries(
    [...worldFrom(selftestSnapshot(), { profile }).world.modules.values()].map(
      ({ name, parameters }) => [name, { parameters }] as const,
    ),
  ),
});

describe('the simulated kernel with the IOMMUs of the self-test', () => {
  it.each(selftestVectors.map((vector) => [vector.id, vector.sequence, vector] as const))(
    '%s: %s',
    async (_id, _sequence, { run }) => {
      const session = new Asking(profile);
      run(session);
      const { world, state } = worldFrom(loaded, { profile, processes: processesOf(vectorActors) });
      const kernel = await simulatedExecutor(loaded, profile);
      const verdict = new Run(world, state, kernel, vectorActors).run(
        session.asked.map((op, id) => ({ id, op, from: {} })),
      );
      kernel.dispose();
      expect(verdict.differs).toEqual([]);
      expect(verdict.operations).toBeGreaterThanOrEqual(session.asked.length);
    },
  );
});
