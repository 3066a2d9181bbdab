/**
 * The hands of a scenario inside the guest: the command line as built, the machine's files, users, and the record of
 * what held and what did not.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import type { Backend } from '../../../runtime/backend.ts';
import { observe } from '../../../runtime/lower/observe.ts';
import { type Answer, fromJson, toJson } from '../calls.ts';
import type { Finding } from '../findings.ts';
import type { Line } from '../lines.ts';
import { begin, type Session } from './session.ts';

const RESULTS = '/run/lab/results.jsonl';
/** Where a user without rights in the checkout finds Node, the access program and koffi. */
const STAGE = '/run/stage';
const WORK = '/run/work';
/** Generous: an emulated processor on a busy machine is slow, and only a hanging command comes near. */
const COMMAND_TIMEOUT_MS = 300_000;

interface CommandResult {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface As {
  readonly uid: number;
  readonly capabilities?: readonly string[];
  /** Soft and hard RLIMIT_MEMLOCK in bytes. */
  readonly memlock?: number;
}

export interface Holder {
  readonly answers: readonly Answer[];
  readonly release: () => Promise<void>;
}

export class Guest {
  readonly backend: Backend;
  /** The folder of the bundle that runs, `dist/lab` of the checkout. */
  private readonly home = dirname(fileURLToPath(import.meta.url));

  /** Of everything that is drawn by lot. */
  readonly seed: number;

  constructor(backend: Backend, seed: number) {
    this.backend = backend;
    this.seed = seed;
    mkdirSync(WORK, { recursive: true });
  }

  /** Records one thing that was to hold. `detail` is printed when it does not. */
  check(what: string, holds: boolean, detail: unknown = ''): void {
    this.record({ kind: 'check', what, holds, detail: typeof detail === 'string' ? detail : toJson(detail) });
  }

  same(what: string, actual: unknown, expected: unknown): void {
    const [is, should] = [toJson(actual), toJson(expected)];
    this.check(what, is === should, `is ${is}, expected ${should}`);
  }

  /** Records one step whose outcome was predicted: `differs` is empty when it came as predicted. */
  step(what: string, differs: readonly string[]): void {
    this.record({ kind: 'step', what, holds: differs.length === 0, detail: differs.join('; ') });
  }

  private record(finding: Finding): void {
    appendFileSync(RESULTS, `${JSON.stringify(finding)}\n`);
  }

  shows(path: string): string | null {
    return observe(this.backend, path);
  }

  /** Writes to a file that exists, as the preparation of a scenario. */
  write(path: string, text: string): void {
    const fd = this.backend.open(path, fcntl.O_WRONLY);
    const answer = fd < 0 ? fd : this.backend.write(fd, new TextEncoder().encode(text));
    if (fd >= 0) this.backend.close(fd);
    if (answer < 0) throw new Error(`writing to ${path}: ${errnoOf(answer)}`);
  }

  file(name: string, text: string): string {
    const path = join(WORK, name);
    writeFileSync(path, text);
    return path;
  }

  /** The built command line, as an operator runs it, which must end with `code`. Answers all that it said. */
  vfioplan(code: number, ...args: readonly string[]): string {
    const done = command(process.execPath, [join(this.home, '../vfioplan.mjs'), ...args]);
    const said = done.stdout + done.stderr;
    this.check(`vfioplan ${args.join(' ')} ends with ${code}`, done.code === code, `${done.code}: ${said}`);
    return said;
  }

  /** The same, and goes on beside the scenario. */
  begin(atTerminal: boolean, ...args: readonly string[]): Session {
    return begin(WORK, [process.execPath, join(this.home, '../vfioplan.mjs'), ...args], atTerminal);
  }

  addUser(name: string, uid: number): void {
    appendFileSync('/etc/passwd', `${name}:x:${uid}:${uid}::/:/bin/sh\n`);
    appendFileSync('/etc/group', `${name}:x:${uid}:\n`);
  }

  /** Makes calls in a process of its own, as that user, and answers what each gave; the process is gone then. */
  async access(as: As, lines: readonly Line[]): Promise<readonly Answer[]> {
    const holder = await this.hold(as, lines);
    await holder.release();
    return holder.answers;
  }

  /** The same, and the process keeps its descriptors until it is released. */
  async hold(as: As, lines: readonly Line[]): Promise<Holder> {
    this.stage();
    const capabilities = (as.capabilities ?? []).map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`);
    const held =
      capabilities.length === 0 ? [] : [`--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`];
    const process = spawn(
      'prlimit',
      [
        ...(as.memlock === undefined ? [] : [`--memlock=${as.memlock}:${as.memlock}`]),
        ...['setpriv', `--reuid=${as.uid}`, `--regid=${as.uid}`, '--clear-groups', ...held],
        ...[join(STAGE, 'node'), join(STAGE, 'access.mjs'), toJson(lines)],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const ended = once(process, 'close');
    const said = await Promise.race([firstLine(process.stdout), ended.then(([code]) => Number(code))]);
    if (typeof said === 'number') throw new Error(`the access program ended with ${said}`);
    return {
      answers: fromJson<readonly Answer[]>(said),
      release: async () => {
        process.stdin.end();
        await ended;
      },
    };
  }

  /** The checkout and Node may lie below folders that only root may enter. */
  private stage(): void {
    if (existsSync(STAGE)) return;
    mkdirSync(join(STAGE, 'node_modules/@koromix'), { recursive: true });
    cpSync(join(this.home, 'access.mjs'), join(STAGE, 'access.mjs'));
    writeFileSync(join(STAGE, 'node'), '');
    execFileSync('mount', ['--bind', process.execPath, join(STAGE, 'node')]);
    for (const name of ['koffi', '@koromix/koffi-linux-x64']) {
      const [from, to] = [join(this.home, '../../node_modules', name), join(STAGE, 'node_modules', name)];
      mkdirSync(to);
      execFileSync('mount', ['--bind', realpathSync(from), to]);
    }
  }
}

async function firstLine(stream: Readable): Promise<string> {
  let said = '';
  for await (const bytes of stream) {
    said += String(bytes);
    if (said.endsWith('\n')) break;
  }
  return said;
}

function command(program: string, args: readonly string[]): CommandResult {
  const done = spawnSync(program, args, {
    cwd: WORK,
    encoding: 'utf8',
    timeout: COMMAND_TIMEOUT_MS,
    maxBuffer: 64 << 20,
  });
  if (done.error !== undefined) throw done.error;
  return { code: done.status ?? done.signal ?? 'nothing', stdout: done.stdout, stderr: done.stderr };
}
