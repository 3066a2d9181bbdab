// Generated from runtime/cli/test-result.schema.ts by `npm run generate`; do not edit.

/** What `vfioplan test --format json` writes: every test with its verdict and trace, and what none has shown. */
export interface TestReport {
  readonly format: "vfioplan.result";
  readonly version: 1;
  /** empty: the command line was not understood */
  readonly command: "test" | "";
  readonly exitCode: 0 | 1 | 64 | 70;
  readonly diagnostics: readonly ResultDiagnostic[];
  /** in the order of the files, whatever ran first; left out where none could be run */
  readonly tests?: readonly ResultTest[];
  readonly coverage?: ResultCoverage;
}

export interface ResultDiagnostic {
  readonly code: string;
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
  readonly file: string;
  readonly range: Range;
  readonly related: readonly {
    readonly message: string;
    readonly file: string;
    readonly range: Range;
  }[];
  readonly causes: readonly string[];
  /** the best first */
  readonly cures: readonly string[];
  readonly kernel?: KernelAnswer;
  readonly fixes: readonly Fix[];
}

export interface Range {
  readonly start: Position;
  /** exclusive */
  readonly end: Position;
}

/** line and column are left out where there is no text */
export interface Position {
  readonly line?: number;
  /** in UTF-16 units */
  readonly column?: number;
  /** in UTF-16 units, from 0 */
  readonly offset: number;
}

export interface KernelAnswer {
  readonly step: string;
  /** what the kernel tests there, in words */
  readonly guard: string;
  readonly errno: string;
  /** file and function of the kernel */
  readonly citation: string;
}

export interface Fix {
  readonly title: string;
  /** `vfioplan check --fix` makes it */
  readonly safe: boolean;
  readonly edits: readonly {
    readonly file: string;
    readonly range: Range;
    readonly text: string;
  }[];
}

export interface ResultTest {
  readonly name: string;
  /** the host that the machine of the test stands for */
  readonly host: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly passed: boolean;
  /** of what did not hold; its diagnostic is among the diagnostics */
  readonly codes: readonly string[];
  /** what was done, up to the first thing that was not as the test says */
  readonly trace: readonly ResultTraceStep[];
}

export interface ResultTraceStep {
  /** `vfioplan`, or a principal */
  readonly who: string;
  readonly what: string;
  /** `0`, `a descriptor`, an errno */
  readonly answer: string;
  readonly reason?: ResultReason;
}

/** the guard that refused */
export interface ResultReason {
  /** its name in docs/model.md; null: none refused */
  readonly guard: string | null;
  readonly words: string;
  /** null: the call does not return */
  readonly errno: string | null;
  readonly citation: string;
}

export interface ResultCoverage {
  /** of all policies */
  readonly statements: number;
  readonly exercised: number;
  /** no test has established them, or nobody has made use of them */
  readonly unused: readonly ResultStatement[];
  /** laws for which no test was refused */
  readonly unrefused: readonly ResultStatement[];
  /** with which policies were refused as tests expected, sorted */
  readonly refusals: readonly string[];
}

export interface ResultStatement {
  readonly policy: string;
  readonly kind: "bind" | "create" | "allow" | "limit" | "persist" | "confirm" | "forbid" | "forbid-unsafe-interrupts" | "protect" | "require";
  readonly file: string;
  readonly line: number;
  readonly column: number;
}
