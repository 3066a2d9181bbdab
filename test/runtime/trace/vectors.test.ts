import { describe, expect, test } from 'vitest';
import { replay } from '../../../runtime/trace/replay.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Result } from '../../../src/model/outcome.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { Process } from '../../../src/model/state.ts';
import { root } from '../../../src/model/world.ts';
import { readTrace } from '../../../src/wire/read-trace.ts';
import type { TraceRecord } from '../../../src/wire/trace.ts';
import { writeLines } from '../../../src/wire/write.ts';
import { nobody, snapshotOf, user } from '../../src/model/machine.ts';
import { Session } from '../../src/model/session.ts';
import { noiommuVectors } from '../../src/model/vectors-noiommu.ts';
import { realVectors } from '../../src/model/vectors-real.ts';
import { Scribe } from './scripts.ts';

/**
 * The vectors, whose answers are those of real kernels, as recorded traces: written down, read again and replayed on the
 * simulated kernel.
 */
const processes = new Map([
  [root.pid, 'root'],
  [user.pid, 'user'],
  [nobody.pid, 'nobody'],
]);

class RecordingSession extends Session {
  readonly scribe = new Scribe(processes);

  override result(op: Op): Result {
    const result = super.result(op);
    this.scribe.take(op, result, 'answers');
    return result;
  }
}

const snapshot = snapshotOf();

function traceOf(profile: ProfileId, calls: readonly TraceRecord[]): string {
  const header = { record: 'header', format: 'vfioplan.trace', version: 1, profile, machine: { snapshot } };
  const introduced = [root, user, nobody].map((process) => introduction(process));
  return writeLines([header, ...introduced, ...calls]);
}

function introduction({ pid, uid, gid, groups, capabilities, memlock }: Process): object {
  const who = { uid, gid, groups, capabilities: [...capabilities], memlock };
  return { record: 'process', name: processes.get(pid), ...who };
}

describe.each(['6.1', '6.12'] as const)('recorded on %s', (profile) => {
  test.each(
    [...noiommuVectors, ...realVectors].map((vector) => [vector.id, vector.sequence, vector] as const),
  )('%s: %s', async (_id, _sequence, vector) => {
    const session = new RecordingSession(profile);
    vector.run(session);
    const { trace, diagnostics } = readTrace('t.jsonl', traceOf(profile, session.scribe.records));
    expect(diagnostics).toEqual([]);
    if (trace?.snapshot === undefined) throw new Error('no trace');
    const { divergence, compared } = await replay(trace, trace.snapshot, { profile });
    expect(divergence).toBeUndefined();
    expect(compared).toBe(session.scribe.records.length);
    expect(compared).toBeGreaterThan(0);
  });
});
