import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { ProfileId } from '../../src/model/profiles.ts';
import type { Trace, TraceCall, TraceLine, TraceOperation, TraceResult } from '../../src/wire/trace.ts';
import { bootSandbox, type SandboxOptions } from '../kernel/sandbox.ts';
import { type Difference, differences, resultOf } from './results.ts';
import { type Reason, Shadow } from './shadow.ts';
import { type Stage, simulatedStage } from './stage.ts';
import { standIns } from './stand-ins.ts';

/** How far a trace and the simulated kernel agree. */
export interface Replay {
  /** The kernel that answered. */
  readonly profile: ProfileId;
  /** Operations that were made, the one that differed included. */
  readonly made: number;
  /** Of these, those whose answer was compared. */
  readonly compared: number;
  /** Fields, files, taint and log lines that were compared beside. */
  readonly observations: number;
  /** Operations of which the trace does not tell everything. */
  readonly untold: number;
  readonly divergence?: Divergence;
}

/** The first operation that was answered otherwise than the trace tells. */
export interface Divergence {
  readonly call: TraceLine<TraceCall>;
  /** At least one. */
  readonly differences: readonly Difference[];
  readonly got: TraceResult;
  /** The guard that refused here; null: none did. */
  readonly reason: Reason | null;
  /** Ways to make the operation that were tried: more than one where the trace does not tell all of it. */
  readonly tried: number;
  /** Where the trace tells a refusal: the guards that make it, none of which applied here. */
  readonly silent: readonly Reason[];
}

export interface ReplayOptions extends Pick<SandboxOptions, 'memoryLimitBytes' | 'deadlineMs'> {
  readonly profile?: ProfileId;
  /** Called now and then with the number of records done. */
  readonly onProgress?: (done: number) => void;
}

/** Makes the operations of a trace on a simulated copy of its machine, up to the first answer that differs. */
export async function replay(trace: Trace, snapshot: Snapshot, options: ReplayOptions): Promise<Replay> {
  const { profile, onProgress, ...limits } = options;
  const shadow = new Shadow(snapshot, profile);
  const sandbox = await bootSandbox(snapshot, { ...limits, profile: shadow.profile.id });
  try {
    const player = new Player(simulatedStage(sandbox), shadow);
    for (const [index, line] of trace.records.entries()) {
      if (index % 1000 === 0) onProgress?.(index);
      if (!player.play(line)) break;
    }
    return player.tally();
  } finally {
    sandbox.dispose();
  }
}

class Player {
  private readonly stage: Stage;
  private readonly shadow: Shadow;
  private made = 0;
  private compared = 0;
  private observations = 0;
  private untold = 0;
  private divergence: Divergence | undefined;

  constructor(stage: Stage, shadow: Shadow) {
    this.stage = stage;
    this.shadow = shadow;
  }

  tally(): Replay {
    const { made, compared, observations, untold, divergence } = this;
    const profile = this.shadow.profile.id;
    const counts = { profile, made, compared, observations, untold };
    return divergence === undefined ? counts : { ...counts, divergence };
  }

  /** Whether the trace and the kernel still agree. */
  play({ record, line, place }: Trace['records'][number]): boolean {
    switch (record.record) {
      case 'process': {
        this.stage.introduce(record.name, record);
        this.shadow.introduce(record.name, record);
        return true;
      }
      case 'exit':
        this.stage.exit(record.process);
        this.shadow.exit(record.process);
        return true;
      case 'call':
        return this.call({ record, line, place });
    }
  }

  private call(call: TraceLine<TraceCall>): boolean {
    const { process, result: told, untold = [] } = call.record;
    if (told === undefined || untold.length > 0) this.untold += 1;
    const chosen =
      untold.length === 0
        ? { operation: call.record.operation, tried: 1 }
        : this.standIn(call.record, untold);
    if (chosen === null) return true;
    const { operation, tried } = chosen;
    const { reply, memory } = this.stage.perform(process, operation);
    const done = memory === undefined ? operation : ({ ...operation, memory } as typeof operation);
    const foretold = this.shadow.answer(process, done);
    const waits = 'blocks' in foretold.told ? foretold.told.blocks : [];
    const got = resultOf(reply, waits);
    this.made += 1;
    const found: Difference[] = [];
    if (told !== undefined) {
      this.compared += 1;
      this.observations += Object.keys(('out' in told && told.out) || {}).length;
      found.push(...differences(operation, told, got));
    }
    found.push(...this.seen(call.record));
    if (found.length === 0) return true;
    const agreed = differences(operation, foretold.told, got).length === 0;
    this.divergence = {
      call,
      differences: found,
      got,
      tried,
      reason: agreed ? foretold.reason : null,
      silent: told === undefined ? [] : this.silent(process, operation, told, got),
    };
    return false;
  }

  /**
   * Where a trace does not tell all of an operation: one that would be answered as the trace tells. Where there is none,
   * though all that could be answered was tried, the plainest, which then differs; otherwise null, and it is left out.
   */
  private standIn({ process, operation, result: told }: TraceCall, untold: readonly string[]): Chosen | null {
    const { operations, whole } = standIns(operation, untold, this.shadow.present(process, operation));
    const tried = operations.length;
    for (const its of operations) {
      const fits =
        told === undefined || differences(its, told, this.shadow.wouldAnswer(process, its)).length === 0;
      if (fits) return { operation: its, tried };
    }
    const [plainest] = operations;
    return whole && plainest !== undefined ? { operation: plainest, tried } : null;
  }

  private silent(
    process: string,
    operation: TraceOperation,
    told: TraceResult,
    got: TraceResult,
  ): readonly Reason[] {
    if ('errno' in told && !('errno' in got && got.errno === told.errno))
      return this.shadow.couldAnswer(process, operation, told.errno);
    return 'blocks' in told && !('blocks' in got) ? this.shadow.couldAnswer(process, operation, null) : [];
  }

  /** What was seen after the operation, and is not so here. */
  private seen({ shows = {}, taint, log }: TraceCall): readonly Difference[] {
    const found: Difference[] = [];
    const compare = (subject: string, expected: string, got: string) => {
      this.observations += 1;
      if (expected !== got) found.push({ subject, expected, got });
    };
    for (const [path, expected] of Object.entries(shows))
      compare(path, shown(expected), shown(this.stage.observe(path)));
    if (taint !== undefined)
      compare('taint', `${taint}`, this.stage.observe('/proc/sys/kernel/tainted') ?? 'absent');
    const logged = this.stage.logged();
    if (log !== undefined) compare('log', logWords(log), logWords(logged));
    return found;
  }
}

function shown(text: string | null): string {
  return text === null ? 'absent' : text === '' ? 'empty' : text;
}

/** Names and numbers of processes differ from run to run. */
function logWords(lines: readonly string[]): string {
  return lines.length === 0
    ? 'nothing'
    : lines.map((line) => line.replace(/\([^():]{1,40}:\d+\)$/, '(…)')).join('\n');
}

interface Chosen {
  readonly operation: TraceOperation;
  readonly tried: number;
}
