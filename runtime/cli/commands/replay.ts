import { type Replay, replay as replayTrace } from '../../trace/replay.ts';
import { type Ending, refusal } from '../exit.ts';
import type { Invocation } from '../invocation.ts';
import { progressOn } from '../progress.ts';
import { divergenceReport, replayView } from '../replay-view.ts';
import { limitReport } from '../simulation-limit.ts';
import { type TraceInput, traceInput } from '../trace-input.ts';

/** `vfioplan replay TRACE`: the operations of a trace on the simulated kernel, up to the first that is answered otherwise. */
export async function replay(invocation: Invocation): Promise<Ending> {
  const { diagnostics, sources, ready, exit } = traceInput(invocation);
  if (ready === undefined) return refusal(diagnostics, sources, exit);
  const { io } = invocation;
  const progress = progressOn(io);
  const { trace, snapshot, profile } = ready;
  let found: Replay;
  try {
    found = await replayTrace(trace, snapshot, {
      ...io.sandboxLimits,
      ...(profile === undefined ? {} : { profile }),
      onProgress: (done) => progress.now(`${done} of ${trace.records.length} records`),
    });
  } catch (error) {
    return refusal([limitReport(invocation, error)], sources);
  } finally {
    progress.end();
  }
  return ending(trace, found, diagnostics, sources);
}

function ending(
  trace: NonNullable<TraceInput['ready']>['trace'],
  found: Replay,
  diagnostics: TraceInput['diagnostics'],
  sources: TraceInput['sources'],
): Ending {
  const { divergence, ...counts } = found;
  const human = replayView(trace, found);
  if (divergence === undefined)
    return { exit: 'done', diagnostics, sources, human, json: { agrees: true, ...counts } };
  const { call, ...rest } = divergence;
  return {
    exit: 'refused',
    diagnostics: [...diagnostics, divergenceReport(divergence)],
    sources,
    human,
    json: {
      agrees: false,
      ...counts,
      divergence: { line: call.line, call: call.record, ...rest },
    },
  };
}
