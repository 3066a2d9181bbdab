/** The simulated kernel as an executor of sequences. */
import { errnoOf } from '../../runtime/abi/errno.ts';
import { mman } from '../../runtime/abi/mman.ts';
import { bootSandbox, type Sandbox, type SimulatedProcess } from '../../runtime/kernel/sandbox.ts';
import { lower, type Reply } from '../../runtime/lower/lower.ts';
import { observeAll } from '../../runtime/lower/observe.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import type { Op } from '../../src/model/op.ts';
import type { ProfileId } from '../../src/model/profiles.ts';
import type { Regions } from '../runtime/kernel/random-operations.ts';
import { type Actor, regions } from './cast.ts';
import type { Executor, Waiting } from './executor.ts';

export async function simulatedExecutor(
  snapshot: Snapshot,
  profile: ProfileId,
): Promise<Executor & { dispose(): void }> {
  return new Simulated(await bootSandbox(snapshot, { profile, deadlineMs: 60_000 }));
}

class Simulated implements Executor {
  readonly keepsWaiting = false;
  private readonly sandbox: Sandbox;
  /** By the actor's pid. */
  private readonly processes = new Map<number, SimulatedProcess>();
  private readonly places = new Map<number, Pick<Regions, 'writable' | 'untouched' | 'readOnly'>>();
  private logged = 0;

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  begin(all: readonly Actor[]): void {
    for (const { pid, ...who } of all) {
      const process = this.sandbox.process(who);
      this.processes.set(pid, process);
      this.places.set(pid, {
        writable: map(process, mman.PROT_READ | mman.PROT_WRITE, mman.MAP_POPULATE),
        untouched: map(process, mman.PROT_READ | mman.PROT_WRITE),
        readOnly: map(process, mman.PROT_READ),
      });
    }
  }

  perform(op: Op): Reply {
    if (op.op === 'descriptor.pass') {
      const value = this.of(op.pid).pass(op.fd, this.of(op.to));
      const errno = errnoOf(value);
      return errno === null ? { ok: true, value } : { ok: false, errno };
    }
    return lower(this.of(op.pid), this.moved(op));
  }

  waits(op: Op): Waiting | null {
    const reply = this.perform(op);
    return !reply.ok && reply.errno === 'blocked' ? { answer: () => null } : null;
  }

  /** It takes no time. */
  rest(): void {}

  shows(paths: readonly string[]): ReadonlyMap<string, string | null> {
    const [first] = this.processes.values();
    return new Map(first === undefined ? [] : Object.entries(observeAll(first, paths)));
  }

  log(): readonly string[] {
    const lines = this.sandbox.kernelLog(this.logged);
    this.logged += lines.length;
    return lines;
  }

  end(): boolean {
    for (const process of this.processes.values()) process.exit();
    this.processes.clear();
    return true;
  }

  dispose(): void {
    this.sandbox.dispose();
  }

  private of(pid: number): SimulatedProcess {
    const process = this.processes.get(pid);
    if (process === undefined) throw new Error(`no process ${pid}`);
    return process;
  }

  /** Its memory lies where the simulated kernel maps it. */
  private moved<O extends Op>(op: O): O {
    const place = this.places.get(op.pid);
    if (!('vaddr' in op) || place === undefined) return op;
    const move = (from: bigint, to: bigint) =>
      op.vaddr >= from && op.vaddr < from + regions.size ? to + (op.vaddr - from) : null;
    const vaddr =
      move(regions.writable, place.writable) ??
      move(regions.untouched, place.untouched) ??
      move(regions.readOnly, place.readOnly) ??
      op.vaddr;
    return { ...op, vaddr };
  }
}

function map(process: SimulatedProcess, protection: number, populate = 0): bigint {
  const flags = mman.MAP_PRIVATE | mman.MAP_ANONYMOUS | populate;
  const address = process.mmap(Number(regions.size), protection, flags, -1, 0n);
  if (typeof address === 'number') throw new Error(`mmap answered ${address}`);
  return address;
}
