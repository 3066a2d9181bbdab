/** A live guest as an executor of sequences. */
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { isLowered, lower, type Reply } from '../../../runtime/lower/lower.ts';
import type { Op } from '../../../src/model/op.ts';
import type { Actor } from '../../conformance/cast.ts';
import type { Executor, Waiting } from '../../conformance/executor.ts';
import { glimpse } from './files.ts';
import { type Guest, sleep } from './guest.ts';
import type { GuestProcess } from './process.ts';

/** Milliseconds after which a call that is to wait is taken to wait, and that one has to end when nothing keeps it. */
const waiting = 300;
const ending = 5000;
/** The place of the first process that is spared for calls that do not return; others are below. */
const spare = 15;

export class GuestExecutor implements Executor {
  readonly keepsWaiting = true;
  private readonly guest: Guest;
  private readonly processes = new Map<number, GuestProcess>();
  private who: readonly Actor[] = [];
  /** Those that make calls that do not return; and of them those that made none yet, or had their answer. */
  private readonly spared: GuestProcess[] = [];
  private readonly idle: { readonly pid: number; readonly process: GuestProcess }[] = [];

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
    return lower(this.of(op.pid), op);
  }

  /** Descriptors of the one who waits would keep it waiting: a process of its own makes the call. */
  waits(op: Op): Waiting | null {
    const who = this.who.find(({ pid }) => pid === op.pid);
    if (who === undefined || !isLowered(op)) return null;
    const process = this.helper(who);
    const reply = lower(process, op);
    if (reply.ok || reply.errno !== 'blocked') return null;
    return {
      answer: (patient) => {
        const value = process.hear(patient ? ending : 0);
        if (value === null) return null;
        this.idle.push({ pid: op.pid, process });
        const errno = errnoOf(value);
        return errno === null ? { ok: true, value } : { ok: false, errno };
      },
    };
  }

  private helper({ pid, ...who }: Actor): GuestProcess {
    const place = this.idle.findIndex((its) => its.pid === pid);
    const [known] = place === -1 ? [] : this.idle.splice(place, 1);
    if (known !== undefined) return known.process;
    const made = this.guest.spawn(spare - this.spared.length, who);
    made.milliseconds = waiting;
    this.spared.push(made);
    return made;
  }

  rest(milliseconds: number): void {
    sleep(milliseconds);
  }

  shows(paths: readonly string[]): ReadonlyMap<string, string | null> {
    return glimpse(this.guest.port, paths);
  }

  log(): readonly string[] {
    return this.guest.log();
  }

  end(): boolean {
    this.processes.clear();
    this.spared.length = 0;
    this.idle.length = 0;
    return this.guest.end() === 0;
  }

  protected of(pid: number): GuestProcess {
    const process = this.processes.get(pid);
    if (process === undefined) throw new Error(`no process ${pid}`);
    return process;
  }
}
