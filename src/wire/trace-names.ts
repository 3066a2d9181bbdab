import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import { locate, type Path } from './json.ts';
import { rolesOf, type TraceCall, type TraceRecord } from './trace.ts';

/** Of one trace: each costs a kernel more than a line of text. */
const maxTraceProcesses = 1000;

/**
 * What a schema cannot say of a trace: a process is introduced before it acts, and a descriptor is named before it is
 * used, and used by the process that has it.
 */
export class TraceNames {
  private readonly processes = new Map<string, 'alive' | 'ended'>();
  /** Whose each descriptor is. */
  private readonly descriptors = new Map<string, string>();

  /** The problems of the next record; `its` is the record's text, `place` where it stands. */
  problems(record: TraceRecord, its: string, place: Place): readonly Diagnostic[] {
    const found: Problem[] = [];
    switch (record.record) {
      case 'header':
        break;
      case 'process':
        this.processes.set(record.name, 'alive');
        if (this.processes.size > maxTraceProcesses) found.push(tooMany);
        break;
      case 'exit':
        found.push(...this.process(record.process, ['process']));
        this.processes.set(record.process, 'ended');
        break;
      case 'call':
        found.push(...this.process(record.process, ['process']), ...this.operation(record));
    }
    if (found.length === 0) return [];
    const places = locate(
      its,
      found.map(({ path }) => path),
    );
    return found.map(({ say }, index) => {
      const span = places[index]?.value ?? { start: 0, end: its.length };
      const { start } = place.span;
      return say({ file: place.file, span: { start: start + span.start, end: start + span.end } });
    });
  }

  private process(name: string, path: Path): readonly Problem[] {
    const state = this.processes.get(name);
    if (state === 'alive') return [];
    const problem = state === 'ended' ? 'has ended before this line' : 'is not introduced before this line';
    const cures = [`introduce it with a record \`{"record":"process","name":${JSON.stringify(name)},…}\``];
    return [{ path, say: (place) => report('VP3052', place, { name, problem }, { cures }) }];
  }

  private operation({ process, operation }: TraceCall): readonly Problem[] {
    const found: Problem[] = [];
    const fields = operation as unknown as Readonly<Record<string, unknown>>;
    for (const [field, role] of rolesOf(operation.op)) {
      const value = fields[field];
      const items = Array.isArray(value) ? value : [value];
      for (const [index, item] of items.entries()) {
        const path = ['operation', field, ...(Array.isArray(value) ? [index] : [])];
        if (typeof item !== 'string') continue;
        if (role === 'process') found.push(...this.process(item, path));
        else if (role === 'descriptor') found.push(...this.descriptor(item, process, path));
      }
    }
    if ('as' in operation && operation.as !== undefined)
      this.descriptors.set(operation.as, 'to' in operation ? operation.to : process);
    return found;
  }

  private descriptor(name: string, process: string, path: Path): readonly Problem[] {
    const owner = this.descriptors.get(name);
    if (owner === process) return [];
    const problem =
      owner === undefined
        ? 'no operation before this line names a descriptor so'
        : `it is a descriptor of process \`${owner}\`, and this one is \`${process}\``;
    const cures =
      owner === undefined
        ? [`give \`"as": ${JSON.stringify(name)}\` to the operation that opens it`]
        : ['pass it on with `descriptor.pass`, which names it in the other process'];
    return [{ path, say: (place) => report('VP3051', place, { name, problem }, { cures }) }];
  }
}

const tooMany: Problem = {
  path: ['name'],
  say: (place) =>
    report('VP3016', place, { document: 'trace', values: `more than ${maxTraceProcesses} processes` }),
};

interface Problem {
  readonly path: Path;
  readonly say: (place: Place) => Diagnostic;
}
