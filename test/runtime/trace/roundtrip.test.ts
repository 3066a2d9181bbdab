import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { record } from '../../../runtime/trace/record.ts';
import { replay } from '../../../runtime/trace/replay.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { Process } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { root, worldFrom } from '../../../src/model/world.ts';
import { readTrace } from '../../../src/wire/read-trace.ts';
import type { Trace, TraceCall, TraceRecord } from '../../../src/wire/trace.ts';
import { writeLines } from '../../../src/wire/write.ts';
import { machine } from '../../machines.ts';
import { seed } from '../../seed.ts';
import { beginning, type Draw, draws, operation } from '../kernel/random-operations.ts';
import { Scribe } from './scripts.ts';

/** What the simulated kernel recorded it answers again, after a way through the file format and back. */

const nic = { id: '8086:10d3', class: 'nic' } as const;
const bound = { ...nic, driver: 'vfio-pci', driverOverride: 'vfio-pci', group: 7 } as const;
const snapshot: Snapshot = machine({
  functions: [
    { at: '0000:00:04.0', ...nic, driver: 'e1000e', group: null },
    { at: '0000:00:05.0', ...bound },
    { at: '0000:00:06.0', ...bound },
  ],
  drivers: ['vfio-pci', 'pci-stub', 'e1000e'],
});
const user: Process = {
  ...{ pid: 1, uid: 1000, gid: 1000, groups: [1000] },
  ...{ capabilities: new Set<string>(), memlock: 8192 },
};
const regions = {
  writable: 0x7f0000000000n,
  untouched: 0x7d0000000000n,
  readOnly: 0x7e0000000000n,
  size: 0x4000n,
};

/** A script of random operations, drawn on the model; its answers are left out. */
function scriptOf(profile: ProfileId, drawn: readonly Draw[]): string {
  const made = worldFrom(snapshot, { profile, processes: [user] });
  const scribe = new Scribe(
    new Map([
      [root.pid, 'root'],
      [user.pid, 'user'],
    ]),
  );
  let { state } = made;
  for (const draw of [...beginning(drawn.length, root.pid), ...drawn]) {
    const op = 'op' in draw ? draw : operation(draw, made.world, state, [root.pid, user.pid], regions);
    const outcome = step(made.world, state, op);
    state = outcome.state;
    scribe.take(op, outcome.result, 'nothing');
  }
  const header = { record: 'header', format: 'vfioplan.trace', version: 1, profile, machine: { snapshot } };
  const processes = [root, user].map(({ uid, gid, groups, capabilities, memlock }) => ({
    ...{ record: 'process', name: uid === 0 ? 'root' : 'user', uid, gid, groups },
    ...{ capabilities: [...capabilities], memlock },
  }));
  return writeLines([header, ...processes, ...scribe.records]);
}

function read(text: string): Trace {
  const { trace, diagnostics } = readTrace('t.jsonl', text);
  expect(diagnostics).toEqual([]);
  if (trace === undefined) throw new Error('no trace');
  return trace;
}

const isCall = (record: TraceRecord): record is TraceCall => record.record === 'call';

describe.each(['seed', '6.1', '6.12'] as const)('random scripts on %s', (profile) => {
  test('agree with what was recorded of them', { timeout: 240_000 }, async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(draws, async (drawn) => {
        const recorded = await record(read(scriptOf(profile, drawn)), snapshot, { profile });
        const calls = recorded.filter(isCall);
        for (const { result = {} } of calls)
          seen.add('errno' in result ? 'errno' : 'blocks' in result ? 'blocks' : 'value');
        const { divergence, compared, untold } = await replay(read(writeLines(recorded)), snapshot, {
          profile,
        });
        expect(divergence).toBeUndefined();
        expect([compared, untold]).toEqual([calls.length, 0]);
      }),
      { seed, numRuns: 6, endOnFailure: true },
    );
    expect(seen.has('errno') && seen.has('value')).toBe(true);
  });

  test('and differ there where an answer was changed', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(draws, fc.nat(), async (drawn, at) => {
        const recorded = await record(read(scriptOf(profile, drawn)), snapshot, { profile });
        const places = recorded.flatMap((each, index) => (isCall(each) ? [index] : []));
        const place = places[at % places.length] ?? 0;
        const changed = recorded.map((each, index) =>
          index === place ? { ...each, result: { errno: 'EXDEV' } } : each,
        );
        const { divergence } = await replay(read(writeLines(changed)), snapshot, { profile });
        expect(divergence?.call.line).toBe(place + 1);
        expect(divergence?.differences[0]).toMatchObject({ subject: 'answer', expected: 'EXDEV' });
      }),
      { seed, numRuns: 3, endOnFailure: true },
    );
  });
});
