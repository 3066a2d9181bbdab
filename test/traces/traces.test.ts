import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { divergenceReport, replayView } from '../../runtime/cli/replay-view.ts';
import { replay } from '../../runtime/trace/replay.ts';
import { render } from '../../src/diagnostics/render.ts';
import { profileIds } from '../../src/model/profiles.ts';
import { readTrace } from '../../src/wire/read-trace.ts';

/** What real kernels answered, replayed on the simulated one. A trace in this folder needs no code: docs/traces.md. */
const folder = new URL('./', import.meta.url);
const traces = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

test('there are traces of real kernels', () => {
  expect(traces.length).toBeGreaterThan(0);
});

test.each(traces)('%s agrees', { timeout: 120_000 }, async (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const { trace, diagnostics } = readTrace(name, text);
  expect(diagnostics).toEqual([]);
  if (trace?.snapshot === undefined) throw new Error('the trace holds no machine');
  const { record } = trace.header;
  expect(record.from?.kernel).toBe('linux');
  const profile = profileIds.find((id) => id === record.profile);
  const found = await replay(trace, trace.snapshot, profile === undefined ? {} : { profile });
  const { divergence } = found;
  const said =
    divergence === undefined
      ? ''
      : replayView(trace, found) + render([divergenceReport(divergence)], new Map([[name, text]]));
  expect(said).toBe('');
  expect(found.compared).toBeGreaterThan(0);
});
