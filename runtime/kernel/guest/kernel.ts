/**
 * The simulated kernel's entry, inside QuickJS. The model says what VFIO answers; this room adds what the model leaves
 * out: processes, descriptors, paths, permissions of files, bytes, the kernel log and planted faults.
 *
 * Invariant: no clock, no chance, no I/O. It sees the outside only in the frame.
 */
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { errnoNumbers } from '../../../src/model/errno.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import type { Credentials } from '../../backend.ts';
import type { Fault } from '../faults.ts';
import { type CallName, calls, endings, firstPrivate } from '../frame.ts';
import { FileSystem } from './file-system.ts';
import { Injection, type Seen } from './injection.ts';
import { Machine } from './machine.ts';
import { descriptorsOf, newProcess, type Process } from './process.ts';
import { refuse } from './refuse.ts';
import { answerAt, Exchange, numberAt, pidAt, type SystemCall, systemCalls } from './system-calls.ts';
import { WouldBlock } from './would-block.ts';

declare const frame: ArrayBuffer;

/** What to boot from, as two JSON texts: they may be larger than the frame. */
interface Boot {
  readonly snapshot: string;
  readonly options: string;
}

interface BootOptions {
  readonly profile?: ProfileId;
  readonly faults: readonly Fault[];
}

const names = new Map<number, CallName>(
  Object.entries(calls).map(([name, number]) => [number, name as CallName]),
);
/** The calls that a process makes, by number. */
const plainCalls: (SystemCall | undefined)[] = [];
for (const [number, name] of names) if (number < firstPrivate) plainCalls[number] = systemCalls[name];

const firstPid = 1000;
const onPaths: readonly CallName[] = [
  ...(['open', 'lstat', 'readlink', 'list', 'chown', 'chmod'] as const),
  ...(['rename', 'unlink', 'mkdir', 'rmdir'] as const),
];

class Kernel {
  readonly machine: Machine;
  readonly files: FileSystem;
  private readonly processes = new Map<number, Process>();
  private readonly injection: Injection;
  private readonly injects: boolean;
  private readonly its = new Exchange(frame);
  private nextPid = firstPid;
  private latest: Process | undefined;

  constructor(snapshot: Snapshot, options: BootOptions) {
    this.machine = new Machine(snapshot, options.profile);
    this.files = new FileSystem(this.machine, this.processes);
    this.injection = new Injection(options.faults);
    this.injects = options.faults.length > 0;
  }

  /**
   * What every call from outside enters. One function with what it needs in variables of its own: to the sandbox's engine a
   * call of another costs as much as ten other things, and a field twice as much as a variable.
   */
  entry(): (text: string | undefined) => void {
    const { its } = this;
    const { words } = its;
    const calls = this.injects ? [] : plainCalls;
    return (text) => {
      its.given = text;
      const pid = words[pidAt] as number;
      let process = this.latest;
      // Calls come in rows from one process.
      if (process === undefined || process.pid !== pid) process = this.switchTo(pid);
      const number = words[numberAt] as number;
      const call = calls[number];
      if (call === undefined || process === undefined) {
        this.enterOther(names.get(number), process);
        return;
      }
      try {
        const answer = call(this, process, its);
        // As `answer` has it, for nearly all of them.
        if (typeof answer === 'number' && (answer | 0) === answer) words[answerAt] = answer;
        else its.answer(answer);
      } catch (error) {
        this.waits(error);
      }
    };
  }

  private switchTo(pid: number): Process | undefined {
    const process = this.processes.get(pid);
    this.latest = process;
    this.its.argument.process = process ?? null;
    return process;
  }

  /** The sandbox's own calls, and all calls where faults are planted. */
  private enterOther(call: CallName | undefined, process: Process | undefined): void {
    const { its } = this;
    if (call === undefined) its.answer(refuse('ENOSYS'));
    else if (call === 'spawn') its.answer(this.spawn(JSON.parse(its.text())));
    else if (call === 'log') its.answer(this.giveLog(its.int(0)));
    else if (process === undefined) its.end(endings.killed);
    else this.carryOutWithFaults(call, process);
  }

  private carryOutWithFaults(call: CallName, process: Process): void {
    const fault = this.injection.next(this.seen(call, process));
    if (fault === undefined) this.carryOut(this.named(call), process);
    else if (fault.answer !== 'kill') this.its.answer(-errnoNumbers[fault.answer]);
    else {
      if (fault.after === true) this.carryOut(this.named(call), process);
      this.exit(process);
      this.its.end(endings.killed);
    }
  }

  private carryOut(call: SystemCall, process: Process): void {
    try {
      this.its.answer(call(this, process, this.its));
    } catch (error) {
      this.waits(error);
    }
  }

  private waits(error: unknown): void {
    if (!(error instanceof WouldBlock)) throw error;
    this.its.giveText(error.message);
    this.its.end(endings.wouldBlock);
  }

  private named(call: CallName): SystemCall {
    const plain = systemCalls[call];
    if (plain !== undefined) return plain;
    if (call === 'become') return (_, process) => this.become(process);
    if (call === 'pass') return (_, process, its) => this.pass(process, its.int(0), its.int(1));
    if (call === 'exit') return (_, process) => this.exit(process);
    return () => refuse('ENOSYS');
  }

  private become(process: Process): number {
    process.who = JSON.parse(this.its.text()) as Credentials;
    this.machine.introduce(process.pid, process.who);
    return 0;
  }

  private spawn(who: Credentials): number {
    const pid = this.nextPid++;
    this.processes.set(pid, newProcess(pid, who));
    this.machine.introduce(pid, who);
    return pid;
  }

  /** SCM_RIGHTS: another process gets a descriptor of the same open file. */
  private pass(process: Process, fd: number, to: number): number {
    const file = process.files[fd];
    const receiver = this.processes.get(to);
    const there = this.machine.value({ op: 'descriptor.pass', pid: process.pid, fd, to });
    if (there >= 0 && file !== undefined && receiver !== undefined) receiver.files[there] = file.as(there);
    return there;
  }

  /** All that the process has open is closed, as exit(2) does. */
  private exit(process: Process): number {
    for (const fd of descriptorsOf(process)) this.files.close(process, fd);
    this.processes.delete(process.pid);
    this.latest = undefined;
    this.machine.forget(process.pid);
    return 0;
  }

  private giveLog(from: number): number {
    let text = '';
    for (const line of this.machine.log.slice(from)) {
      if (text.length + line.length + 1 > 32768) break;
      text += `${line}\n`;
    }
    this.its.giveText(text);
    return this.machine.log.length;
  }

  /** A call as faults see it. */
  private seen(call: CallName, process: Process): Seen {
    const { its } = this;
    if (onPaths.includes(call)) {
      const paths = its.text().split('\0');
      return { call, paths: [...paths, ...paths.map((path) => this.files.resolved(process, path))] };
    }
    const file = process.files[its.int(0)];
    const paths = file === undefined ? [] : [file.named.asked, file.named.path];
    return call === 'ioctl' ? { call, paths, request: its.int(1) >>> 0 } : { call, paths };
  }
}

Object.assign(globalThis, {
  begin: ({ snapshot, options }: Boot) => {
    const kernel = new Kernel(JSON.parse(snapshot), JSON.parse(options));
    Object.assign(globalThis, { enter: kernel.entry() });
  },
});
