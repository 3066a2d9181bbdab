import type { Memory, Op } from '../../src/model/op.ts';
import type { TraceOperation } from '../../src/wire/trace.ts';
import { errnoOf } from '../abi/errno.ts';
import type { Backend, Credentials } from '../backend.ts';
import type { Sandbox, SimulatedProcess } from '../kernel/sandbox.ts';
import { type LoweredOp, lower, type Reply } from '../lower/lower.ts';
import { observe } from '../lower/observe.ts';
import { Bindings } from './bindings.ts';
import { UserMemory } from './memory.ts';
import { opOf } from './operations.ts';

/** A kernel and the processes of a trace on it. */
export interface Stage {
  /** A process begins, or is somebody else from now on. */
  introduce(name: string, credentials: Credentials): void;
  /** Ends a process: all that it has open is closed. */
  exit(name: string): void;
  perform(process: string, operation: TraceOperation): Deed;
  /** What a path shows now. */
  observe(path: string): string | null;
  /** The lines logged since it was last asked. */
  logged(): readonly string[];
}

/** What was done, and what the kernel answered. */
export interface Deed {
  readonly reply: Reply;
  /** The operation with the numbers of this run. */
  readonly op: Op;
  /** What truly stood behind a user address, where the operation says one. */
  readonly memory?: Memory;
}

/** One process of a stage. */
export interface Actor {
  readonly pid: number;
  readonly backend: Backend;
  readonly memory: UserMemory;
}

/** Numbers for names, done, and the name given to what was opened. */
export function act(
  actors: ReadonlyMap<string, Actor>,
  bindings: Bindings,
  process: string,
  operation: TraceOperation,
  pass: (fd: number, to: string) => number,
): Deed {
  const actor = found(actors, process);
  const op = placed(
    actor,
    opOf(operation, actor.pid, {
      descriptor: (_, name) => bindings.number(process, name),
      pid: (name) => found(actors, name).pid,
    }),
  );
  const reply =
    operation.op === 'descriptor.pass' && op.op === 'descriptor.pass'
      ? replyOf(pass(op.fd, operation.to))
      : lower(actor.backend, op as LoweredOp);
  if ('as' in operation && operation.as !== undefined) {
    const owner = 'to' in operation ? operation.to : process;
    bindings.bind(owner, operation.as, reply.ok ? reply.value : -1);
  }
  return { reply, op, ...('memory' in op ? { memory: op.memory } : {}) };
}

function found<Process>(processes: ReadonlyMap<string, Process>, name: string): Process {
  const process = processes.get(name);
  if (process === undefined) throw new Error(`no process ${name}, though the trace was read whole`);
  return process;
}

function placed({ memory }: Actor, op: Op): Op {
  if (!('memory' in op)) return op;
  return { ...op, ...memory.place(op.vaddr, 'size' in op ? op.size : op.length, op.memory) };
}

function replyOf(answer: number): Reply {
  const errno = errnoOf(answer);
  return errno === null ? { ok: true, value: answer } : { ok: false, errno };
}

/** The simulated kernel. Throws `SandboxFailure` once a limit of the sandbox is reached. */
export function simulatedStage(sandbox: Sandbox): Stage {
  const processes = new Map<string, SimulatedProcess>();
  const actors = new Map<string, Actor>();
  const bindings = new Bindings();
  const observer = sandbox.process(everything);
  let logged = sandbox.kernelLog().length;
  return {
    introduce(name, credentials) {
      const existing = processes.get(name);
      if (existing !== undefined) {
        existing.become(credentials);
        return;
      }
      const process = sandbox.process(credentials);
      processes.set(name, process);
      actors.set(name, { pid: process.pid, backend: process, memory: new UserMemory(process) });
    },
    exit(name) {
      processes.get(name)?.exit();
      processes.delete(name);
      actors.delete(name);
    },
    perform: (process, operation) =>
      act(actors, bindings, process, operation, (fd, to) =>
        found(processes, process).pass(fd, found(processes, to)),
      ),
    observe: (path) => observe(observer, path),
    logged() {
      const lines = sandbox.kernelLog(logged);
      logged += lines.length;
      return lines;
    },
  };
}

/** Whoever looks sees everything, and leaves no trace in the numbers of the others. */
const everything: Credentials = {
  uid: 0,
  gid: 0,
  groups: [],
  capabilities: ['CAP_DAC_OVERRIDE', 'CAP_SYS_ADMIN'],
  memlock: null,
};
