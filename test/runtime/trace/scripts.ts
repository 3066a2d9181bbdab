import { operationOf } from '../../../runtime/trace/operations.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Result } from '../../../src/model/outcome.ts';
import type { TraceRecord } from '../../../src/wire/trace.ts';

const openers: readonly string[] = [
  ...['open', 'group.get_device_fd', 'descriptor.pass', 'iommufd.fault_queue_alloc'],
  ...['kvm.create_vm', 'kvm.create_device'],
];

/** Writes down operations of a model as a trace has them: descriptors and processes get names. */
export class Scribe {
  readonly records: TraceRecord[] = [];
  private readonly processes: ReadonlyMap<number, string>;
  /** By process and number; a number that is closed is taken again under the same name. */
  private readonly known = new Set<string>();

  constructor(processes: ReadonlyMap<number, string>) {
    this.processes = processes;
  }

  /** The operation as the next record; what it answers, where that is told. */
  take(op: Op, result: Result, told: 'answers' | 'nothing'): void {
    const owner = op.op === 'descriptor.pass' ? op.to : op.pid;
    const opened = openers.includes(op.op) && result.ok;
    const as = opened ? nameOf(owner, result.value) : undefined;
    const operation = operationOf(
      op,
      {
        descriptor: (pid, fd) => (this.known.has(nameOf(pid, fd)) ? nameOf(pid, fd) : fd),
        process: (pid) => this.nameOfProcess(pid),
      },
      as,
    );
    if (as !== undefined) this.known.add(as);
    const process = this.nameOfProcess(op.pid);
    this.records.push({
      ...{ record: 'call', process, operation },
      ...(told === 'nothing' ? {} : { result: this.resultOf(result) }),
    });
  }

  private nameOfProcess(pid: number): string {
    return this.processes.get(pid) ?? 'nobody';
  }

  private resultOf(result: Result) {
    if ('errno' in result) return { errno: result.errno };
    if ('blocks' in result) return { blocks: result.blocks.map((pid) => this.nameOfProcess(pid)) };
    const fields = Object.entries(result.out ?? {}).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
    ]);
    const { value } = result;
    return fields.length === 0 ? { value } : { value, out: Object.fromEntries(fields) };
  }
}

function nameOf(pid: number, fd: number): string {
  return `p${pid}.${fd}`;
}
