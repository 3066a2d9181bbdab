/** A live guest as an executor of sequences. */
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { isLowered, lower, type Reply } from '../../../runtime/lower/lower.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Actor } from '../../conformance/cast.ts';
import type { Executor } from '../../conformance/executor.ts';
import { glimpse } from './files.ts';
import type { Guest } from './guest.ts';
import type { GuestProcess } from './process.ts';

/** Milliseconds after which a call that is to wait is taken to wait. */
const waiting = 300;
/** The place of the process that is spared for calls that do not return. */
const spare = 15;

export class GuestExecutor implements Executor {
  readonly keepsWaiting = true;
  private readonly guest: Guest;
  private readonly processes = new Map<number, GuestProcess>();
  private who: readonly Actor[] = [];

  constructor(guest: Guest) {
    this.guest = guest;
  }

  begin(all: readonly Actor[]): void {
    this.who = all;
    for (const { pid, ...who } of all) this.processes.set(pid, this.guest.spawn(pid, who));
  }

  perform(op: Op): Reply {
    if (op.op === 'descriptor.pass') {
      const value = this.of(op.pid).pass(op.fd, this.of(op.to));
      const errno = errnoOf(value);
      return errno === null ? { ok: true, value } : { ok: false, errno };
    }
    if (!isLowered(op)) throw new Error(`${op.op} is not drawn`);
    return lower(this.of(op.pid), op);
  }

  /** Descriptors of the one who waits would keep it waiting: a process of its own makes the call. */
  waits(op: Op): boolean {
    const who = this.who.find(({ pid }) => pid === op.pid);
    if (who === undefined || !isLowered(op)) return false;
    const helper = this.guest.spawn(spare, who);
    helper.milliseconds = waiting;
    const reply = lower(helper, op);
    return !reply.ok && reply.errno === 'blocked';
  }

  shows(paths: readonly string[]): ReadonlyMap<string, string | null> {
    return glimpse(this.guest.port, paths);
  }

  log(): readonly string[] {
    return this.guest.log();
  }

  end(): boolean {
    this.processes.clear();
    return this.guest.end() === 0;
  }

  protected of(pid: number): GuestProcess {
    const process = this.processes.get(pid);
    if (process === undefined) throw new Error(`no process ${pid}`);
    return process;
  }
}
