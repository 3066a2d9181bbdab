import type { Diagnostic, Place } from '../../../src/diagnostics/diagnostic.ts';
import { report } from '../../../src/diagnostics/report.ts';
import { root } from '../../../src/model/world.ts';
import { refuseSize } from '../../../src/wire/document.ts';
import { maxTraceLine } from '../../../src/wire/read-trace.ts';
import type { Trace, TraceCall, TraceOperation } from '../../../src/wire/trace.ts';
import { opens } from '../operations.ts';
import { onDescriptor, type Translated } from './calls.ts';
import { type StraceCall, StraceLines } from './lines.ts';
import { kindOf, type LoggedProcess, LoggedProcesses } from './processes.ts';
import { descriptorIn, numberIn, textIn } from './values.ts';

/** Whether a text is an strace log, as far as its first lines tell. */
export function looksLikeStrace(text: string): boolean {
  const lines = text.slice(0, 4096).split('\n', 20);
  return lines.some((line) =>
    /^(?:\[pid +\d+\] |\d+ +)?[\d:.]* ?[a-z_][a-z0-9_]*\(.*\) += (?:-?\d|0x|\?)/.test(line),
  );
}

/**
 * An strace log as a trace: VFIO's calls, and the writes to sysfs that the model knows. The log does not tell who the
 * processes are: they are taken for root with every capability. Linear in the text, and any text gives an answer.
 */
export function readStrace(
  file: string,
  text: string,
): { readonly trace?: Trace; readonly diagnostics: readonly Diagnostic[] } {
  const tooLarge = refuseSize('trace', file, text.length);
  if (tooLarge !== undefined) return { diagnostics: [tooLarge] };
  const reader = new Reader(file);
  const lines = new StraceLines();
  let number = 0;
  for (let start = 0; start < text.length; ) {
    number += 1;
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (end - start <= maxTraceLine) {
      const read = lines.read(text.slice(start, end), number, start);
      if (read.kind === 'call') reader.call(read.call);
      else if (read.kind === 'exit') reader.exit(read.pid, number, { file, span: { start, end } });
    }
    start = end + 1;
  }
  return reader.end();
}

class Reader {
  private readonly file: string;
  private readonly processes = new LoggedProcesses();
  private readonly records: Mutable<Trace['records']> = [];
  private calls = 0;
  /** Why calls were passed over, where it happened first, and how often. */
  private readonly passed = new Map<string, { readonly place: Place; count: number }>();

  constructor(file: string) {
    this.file = file;
  }

  call(call: StraceCall): void {
    const process = this.processes.of(call.pid);
    switch (call.name) {
      case 'open':
      case 'openat':
        this.opened(process, call, textIn(call.args[call.name === 'open' ? 0 : 1]));
        break;
      case 'close':
        this.closed(process, call);
        break;
      case 'dup':
      case 'dup2':
      case 'dup3':
        this.duplicated(process, call);
        break;
      case 'clone':
      case 'clone3':
      case 'fork':
      case 'vfork':
        this.cloned(call);
        break;
      case 'execve':
        if (call.returned.value === 0n) this.executed(process, call);
        break;
      case 'mmap':
        this.take(process, { ...call, args: [call.args[4] ?? '', ...call.args.slice(1)] });
        break;
      default:
        if (onFiles.has(call.name)) this.take(process, call);
    }
  }

  exit(pid: number, line: number, place: Place): void {
    const process = this.processes.ended(pid);
    if (process?.introduced !== true) return;
    this.records.push({ record: { record: 'exit', process: process.name }, line, place });
  }

  end(): { readonly trace?: Trace; readonly diagnostics: readonly Diagnostic[] } {
    const place = { file: this.file, span: { start: 0, end: 0 } };
    const diagnostics = [...this.passed].map(([why, { place: at, count }]) =>
      report('VP3058', at, { count, why }),
    );
    if (this.calls === 0) {
      const cures = [
        'trace the program with `strace -f -y -o FILE -e trace=desc,process PROGRAM`',
        'see whether it is an strace log at all',
      ];
      return { diagnostics: [...diagnostics, report('VP3057', place, {}, { cures })] };
    }
    diagnostics.push(report('VP3059', place, {}));
    const header = { record: 'header', format: 'vfioplan.trace', version: 1 } as const;
    return { trace: { header: { record: header, line: 1, place }, records: this.records }, diagnostics };
  }

  private opened(process: LoggedProcess, call: StraceCall, asked: string | null): void {
    const { value, path = asked } = call.returned;
    if (path === null || value === null) return;
    const kind = kindOf(path);
    if (kind !== 'other') this.emit(process, call, { operation: { op: 'open', path }, untold: [] });
    if (value >= 0n && kind === 'other')
      process.files.set(Number(value), { kind, path, closesOnExec: closesOnExec(call) });
  }

  private closed(process: LoggedProcess, call: StraceCall): void {
    const fd = descriptorIn(call.args[0])?.fd ?? -1;
    const name = process.files.get(fd)?.name;
    if (name !== undefined) this.emit(process, call, { operation: { op: 'close', fd: name }, untold: [] });
    if (call.returned.errno === undefined) process.files.delete(fd);
  }

  /** dup(2) gives the process a second descriptor of the same file. */
  private duplicated(process: LoggedProcess, call: StraceCall): void {
    const file = process.files.get(descriptorIn(call.args[0])?.fd ?? -1);
    if (file === undefined || call.returned.value === null || call.returned.value < 0n) return;
    if (file.name === undefined) process.files.set(Number(call.returned.value), file);
    else this.pass(process, process, file.name, Number(call.returned.value), call);
  }

  private cloned(call: StraceCall): void {
    const cloned = this.processes.cloned(call);
    if (cloned === null) return;
    const { parent, child } = cloned;
    for (const [fd, file] of parent.files) {
      if (child.files.has(fd)) continue;
      if (file.name === undefined) child.files.set(fd, file);
      else this.pass(parent, child, file.name, fd, call);
    }
  }

  private executed(process: LoggedProcess, call: StraceCall): void {
    for (const [fd, { name, closesOnExec }] of process.files) {
      if (!closesOnExec) continue;
      process.files.delete(fd);
      if (name !== undefined)
        this.push(process, call, { operation: { op: 'close', fd: name }, untold: [] }, {});
    }
  }

  private pass(from: LoggedProcess, to: LoggedProcess, name: string, fd: number, call: StraceCall): void {
    const file = [...from.files.values()].find((each) => each.name === name);
    if (file === undefined) return;
    const as = nameOf(to, fd);
    this.introduce(to, call);
    this.push(
      from,
      call,
      { operation: { op: 'descriptor.pass', fd: name, to: to.name, as }, untold: [] },
      {},
    );
    to.files.set(fd, { ...file, name: as, closesOnExec: false });
  }

  private take(process: LoggedProcess, call: StraceCall): void {
    const translated = onDescriptor(call, process);
    if (translated === 'other') return;
    if ('passed' in translated) {
      const known = this.passed.get(translated.passed);
      if (known !== undefined) known.count += 1;
      else this.passed.set(translated.passed, { place: this.placeOf(call), count: 1 });
    } else this.emit(process, call, translated);
  }

  /** The operation with the answer that the log tells; what it opened gets a name. */
  private emit(process: LoggedProcess, call: StraceCall, { operation, untold }: Operation): void {
    const { value, errno, path } = call.returned;
    const told = errno === undefined && value !== null && opens(operation.op);
    // Its descriptor comes back in the structure, which strace does not show.
    const opened = told && operation.op !== 'iommufd.fault_queue_alloc';
    const fd = Number(value ?? 0n);
    const as = opened ? nameOf(process, fd) : undefined;
    this.push(
      process,
      call,
      { operation: as === undefined ? operation : ({ ...operation, as } as TraceOperation), untold },
      resultOf(call, operation),
    );
    if (as === undefined) return;
    const shown = path ?? ('path' in operation ? operation.path : '[vfio-device]');
    process.files.set(fd, {
      ...{ kind: kindOf(shown), path: shown, name: as },
      closesOnExec: closesOnExec(call),
    });
  }

  private push(
    process: LoggedProcess,
    call: StraceCall,
    { operation, untold }: Operation,
    result: TraceCall['result'],
  ): void {
    this.introduce(process, call);
    this.calls += 1;
    const record: TraceCall = {
      ...{ record: 'call', process: process.name, operation },
      ...(untold.length === 0 ? {} : { untold }),
      ...(result === undefined ? {} : { result }),
    };
    this.records.push({ record, line: call.line, place: this.placeOf(call) });
  }

  private introduce(process: LoggedProcess, call: StraceCall): void {
    if (process.introduced) return;
    process.introduced = true;
    const who = { uid: 0, gid: 0, groups: [], capabilities: [...root.capabilities], memlock: null };
    const record = { record: 'process', name: process.name, ...who } as const;
    this.records.push({ record, line: call.line, place: this.placeOf(call) });
  }

  private placeOf({ start, end }: StraceCall): Place {
    return { file: this.file, span: { start, end } };
  }
}

type Operation = Extract<Translated, { operation: unknown }>;
type Mutable<List> = List extends readonly (infer Item)[] ? Item[] : never;

/** Calls whose first argument is a descriptor, and which may be an operation. */
const onFiles: ReadonlySet<string> = new Set(['ioctl', 'read', 'write', 'pread64', 'pwrite64', 'lseek']);

function nameOf(process: LoggedProcess, fd: number): string {
  return `${process.name}.fd${fd}`;
}

/** A write's count has the newline that the operation has not, and an address differs from run to run. */
function resultOf({ name, returned }: StraceCall, operation: TraceOperation): TraceCall['result'] {
  const { value, errno } = returned;
  if (errno !== undefined) return { errno };
  if (value === null) return undefined;
  const counted = name === 'write' && operation.op !== 'file.call';
  const place = name === 'mmap' || (name === 'read' && operation.op === 'file.call');
  return counted || place ? {} : { value: Number(value) };
}

const O_CLOEXEC = 0o2000000n;

/** What VFIO opens itself always does. */
function closesOnExec({ name, args }: StraceCall): boolean {
  if (name !== 'open' && name !== 'openat') return true;
  const flags = args[name === 'open' ? 1 : 2] ?? '';
  return flags.includes('O_CLOEXEC') || ((numberIn(flags) ?? 0n) & O_CLOEXEC) !== 0n;
}
