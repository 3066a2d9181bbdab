import type { CommandLine } from './command-line.ts';
import type { Ending } from './exit.ts';
import type { Io } from './io.ts';

/** One command as it was called, with its words already told apart. */
export interface Invocation {
  readonly io: Io;
  readonly line: CommandLine;
  readonly operands: readonly string[];
  readonly options: Options;
}

/** How a result is written; `sarif`: the diagnostics alone. */
export type Format = 'human' | 'json' | 'sarif';

/** Every option of every command; which command takes which is in `commands.ts`. */
export interface Options {
  readonly format: Format;
  readonly machine: readonly string[];
  readonly live: boolean;
  /** `YYYY-MM-DD`. */
  readonly today: string;
  /** It was given, and stays when the machine's date goes on. */
  readonly todayIsGiven: boolean;
  readonly strict: boolean;
  readonly host?: string;
  readonly out?: string;
  /** Of `test`: words in the names of those that are run; none: all are. */
  readonly filter: readonly string[];
  /** Of `test`: every statement that no test has exercised. */
  readonly coverage: boolean;
  readonly junit?: string;
  /** Of `test`: how many at once, 1 to 256; left out: as many as pay. */
  readonly jobs?: number;
  readonly detailedExitcode: boolean;
  /** As it was typed: whether there is such a kernel is seen with the trace. */
  readonly profile?: string;
  /** Left out: what the file looks like. */
  readonly input?: 'trace' | 'strace';
  /** Of `check`: make the fixes that are safe. */
  readonly fix: boolean;
  /** Of `fmt`: only say whether anything would be changed; of `fmt` and `check --fix`: show what. */
  readonly check: boolean;
  readonly diff: boolean;
  readonly native: boolean;
  /** Of `apply --native`: seconds in which somebody has to confirm it; left out: what the policy says. */
  readonly confirmWithin?: number;
  readonly allowChanges: boolean;
  readonly stateDir?: string;
  readonly sysroot?: string;
  /** The one way in which `lsp` speaks; read by nobody. */
  readonly stdio: boolean;
  /** Of `lsp`; who serves the protocol looks at the command line itself. */
  readonly clientProcessId?: string;
  /** 0: any free port. */
  readonly port: number;
}

export type Run = (invocation: Invocation) => Ending | Promise<Ending>;
