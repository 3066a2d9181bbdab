/**
 * Lines of an strace log as calls: who, which, its arguments as written, what it returned. Nothing here backtracks, so a
 * line costs time linear in its length whatever stands in it.
 */
export interface StraceCall {
  /** As `-f` prints it; 0 where the log has none. */
  readonly pid: number;
  readonly name: string;
  /** Each as it was written, without the space around it. */
  readonly args: readonly string[];
  readonly returned: Returned;
  /** Counted from 1; of a call in two parts, the line on which it returned. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

/** What stands behind `=`. */
export interface Returned {
  /** Null where it is `?`: the call did not return. */
  readonly value: bigint | null;
  /** With `-y`, what the descriptor refers to. */
  readonly path?: string;
  readonly errno?: string;
}

/** What a line of the log is. */
export type StraceLine =
  | { readonly kind: 'call'; readonly call: StraceCall }
  /** `+++ exited with 0 +++`, `+++ killed by SIGKILL +++`. */
  | { readonly kind: 'exit'; readonly pid: number }
  /** The first part of a call, a signal, a message of strace, an empty line. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unreadable' };

const nothing: StraceLine = { kind: 'nothing' };
const unreadable: StraceLine = { kind: 'unreadable' };

const head = /^(?:\[pid +(\d{1,10})\] |(\d{1,10}) +)?(?:\d\d:\d\d:\d\d(?:\.\d+)? |\d+\.\d+ | +\d+\.\d+ )?/;
const begin = /^([a-z_][a-z0-9_]*)\(/;
const resumed = /^<\.\.\. ([a-z_][a-z0-9_]*) resumed>/;
const unfinished = / ?<unfinished \.\.\.>$/;
const attached = /strace: Process \d{1,10} attached\s*$/;
const result = /^ *= (?:(-?\d+|0x[0-9a-f]+)|\?)/;

/** Reads the lines of one log, in order: a call that is interrupted by another thread is told in two of them. */
export class StraceLines {
  /** By pid and name: what was written of the call before it was interrupted. */
  private readonly begun = new Map<string, string>();
  /** The beginning of a line into which strace wrote that a process was attached. */
  private broken = '';

  read(written: string, line: number, start: number): StraceLine {
    const text = this.broken + written;
    this.broken = '';
    const mended = attached.exec(text);
    if (mended !== null && mended.index > 0) {
      this.broken = text.slice(0, mended.index);
      return nothing;
    }
    const [prefix = '', bracketed, bare] = head.exec(text) ?? [];
    const pid = Number(bracketed ?? bare ?? 0);
    const rest = text.slice(prefix.length).trimEnd();
    if (/^\+\+\+ (exited|killed)/.test(rest)) return { kind: 'exit', pid };
    if (rest === '' || rest.startsWith('---') || rest.startsWith('strace: ')) return nothing;
    const again = resumed.exec(rest);
    if (again === null) return this.whole(rest, pid, { line, start, end: start + written.length });
    const [said = '', name = ''] = again;
    const first = this.begun.get(`${pid} ${name}`);
    if (first === undefined) return nothing;
    this.begun.delete(`${pid} ${name}`);
    return this.whole(first + rest.slice(said.length), pid, { line, start, end: start + written.length });
  }

  private whole(rest: string, pid: number, where: Pick<StraceCall, 'line' | 'start' | 'end'>): StraceLine {
    const name = begin.exec(rest)?.[1];
    if (name === undefined) return unreadable;
    if (unfinished.test(rest)) {
      this.begun.set(`${pid} ${name}`, rest.replace(unfinished, ''));
      return nothing;
    }
    const { args, end } = split(rest, name.length + 1);
    if (end < 0) return unreadable;
    const returned = returnedOf(rest.slice(end + 1));
    return returned === null ? unreadable : { kind: 'call', call: { pid, name, args, returned, ...where } };
  }
}

/** The arguments from `from` on, up to the bracket that closes them; `end` is its place, or -1. */
function split(text: string, from: number): { readonly args: readonly string[]; readonly end: number } {
  const args: string[] = [];
  let depth = 0;
  let start = from;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '"') at = endOfString(text, at);
    else if (char === '/' && text[at + 1] === '*') at = after(text, '*/', at) - 1;
    else if (char === '<' && /[a-z/]/.test(text[at + 1] ?? '') && text[at - 1] !== '<')
      at = endOfPath(text, at);
    else if ('([{'.includes(char)) depth += 1;
    else if (depth > 0 && ')]}'.includes(char)) depth -= 1;
    else if (depth === 0 && (char === ',' || char === ')')) {
      const arg = text.slice(start, at).trim();
      if (arg !== '' || char === ',') args.push(arg);
      start = at + 1;
      if (char === ')') return { args, end: at };
    }
  }
  return { args, end: -1 };
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

/** `<…>` may hold another: `</dev/vfio/vfio<char 10:196>>`. */
function endOfPath(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '<') depth += 1;
    else if (text[at] === '>') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return text.length;
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at + mark.length;
}

function returnedOf(text: string): Returned | null {
  const found = result.exec(text);
  if (found === null) return null;
  const [said, number] = found;
  if (number === undefined) return { value: null };
  const rest = text.slice(said.length);
  const path = rest.startsWith('<') ? pathIn(rest) : undefined;
  const errno = /^ (E[A-Z0-9]{1,20})\b/.exec(rest)?.[1];
  return {
    value: BigInt(number),
    ...(path === undefined ? {} : { path }),
    ...(errno === undefined ? {} : { errno }),
  };
}

/** The path of `<path>`, without what `-yy` adds. */
export function pathIn(text: string): string {
  return text.slice(1, endOfPath(text, 0)).replace(/<[^<>]*>?$/, '');
}
