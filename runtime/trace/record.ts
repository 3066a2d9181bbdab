import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { ProfileId } from '../../src/model/profiles.ts';
import type { Trace, TraceCall, TraceHeader, TraceRecord } from '../../src/wire/trace.ts';
import { bootSandbox } from '../kernel/sandbox.ts';
import type { ReplayOptions } from './replay.ts';
import { resultOf } from './results.ts';
import { Shadow } from './shadow.ts';
import { type Stage, simulatedStage } from './stage.ts';

/** Makes the operations of a script on a simulated copy of a machine, and answers the trace: every answer written down. */
export async function record(
  script: Trace,
  snapshot: Snapshot,
  options: ReplayOptions,
): Promise<readonly TraceRecord[]> {
  const { profile, onProgress, ...limits } = options;
  const shadow = new Shadow(snapshot, profile);
  const sandbox = await bootSandbox(snapshot, { ...limits, profile: shadow.profile.id });
  try {
    const recorder = new Recorder(simulatedStage(sandbox), shadow);
    const records: TraceRecord[] = [headerOf(script, snapshot, shadow.profile.id, { kernel: 'simulated' })];
    for (const [index, { record }] of script.records.entries()) {
      if (index % 1000 === 0) onProgress?.(index);
      records.push(recorder.take(record));
    }
    return records;
  } finally {
    sandbox.dispose();
  }
}

/** The header of what is recorded: a machine that is named by its file stays so, where it is not this one. */
export function headerOf(
  { header: { record } }: Trace,
  snapshot: Snapshot,
  profile: ProfileId,
  from: NonNullable<TraceHeader['from']>,
): TraceHeader {
  const named = from.kernel === 'simulated' && record.machine !== undefined && 'file' in record.machine;
  const machine = named ? record.machine : { snapshot };
  const { format, version, about } = record;
  return {
    ...{
      record: 'header',
      format,
      version,
      profile,
      machine: machine as NonNullable<TraceHeader['machine']>,
    },
    ...{ from, ...(about === undefined ? {} : { about }) },
  };
}

/** Does what records say, one after the other, and writes down what came of it. */
export class Recorder {
  private readonly stage: Stage;
  private readonly shadow: Shadow;
  private taint: string | null;

  constructor(stage: Stage, shadow: Shadow) {
    this.stage = stage;
    this.shadow = shadow;
    this.taint = stage.observe(tainted);
  }

  /** Does what a record says, and answers the record with what came of it. */
  take(record: Trace['records'][number]['record']): TraceRecord {
    switch (record.record) {
      case 'process':
        this.stage.introduce(record.name, record);
        this.shadow.introduce(record.name, record);
        return record;
      case 'exit':
        this.stage.exit(record.process);
        this.shadow.exit(record.process);
        return record;
      case 'call':
        return this.call(record);
    }
  }

  private call({ process, operation, comment }: TraceCall): TraceCall {
    const paths = this.shadow.touched(process, operation);
    this.stage.logged();
    const { reply, memory } = this.stage.perform(process, operation);
    const done = memory === undefined ? operation : ({ ...operation, memory } as typeof operation);
    const { told } = this.shadow.answer(process, done);
    const result = resultOf(reply, 'blocks' in told ? told.blocks : []);
    const shows = Object.fromEntries(
      paths.filter((path) => path !== tainted).map((path) => [path, this.stage.observe(path)]),
    );
    const taint = this.stage.observe(tainted);
    const changed = taint !== this.taint && taint !== null;
    this.taint = taint;
    const log = this.stage.logged();
    return {
      ...{ record: 'call', process, operation: done },
      result,
      ...(Object.keys(shows).length === 0 ? {} : { shows }),
      ...(changed ? { taint: Number(taint) } : {}),
      ...(log.length === 0 ? {} : { log }),
      ...(comment === undefined ? {} : { comment }),
    };
  }
}

export const tainted = '/proc/sys/kernel/tainted';
