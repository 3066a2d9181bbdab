import { createColors } from 'picocolors';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { type Palette, render } from '../../src/diagnostics/render.ts';
import { report } from '../../src/diagnostics/report.ts';
import { COMMAND_LINE, type CommandLine } from './command-line.ts';
import { type Exit, exits } from './exit-codes.ts';
import type { Format } from './invocation.ts';
import { type Io, wantsColor } from './io.ts';
import { diagnosticsToJson } from './json.ts';
import { pageOf } from './pages.ts';
import { sarifOf } from './sarif.ts';

/**
 * The one place where what a command found becomes output and an exit code. Commands answer with an `Ending`;
 * nothing else in the command line writes a result or chooses a number.
 */
export interface Ending {
  readonly exit: Exit;
  readonly diagnostics: readonly Diagnostic[];
  /** Texts that diagnostics point into, by the file they name. */
  readonly sources: ReadonlyMap<string, string>;
  /** What a person reads on stdout; ends with a newline, or is empty. */
  readonly human: string;
  /** What JSON has besides the envelope. */
  readonly json: Readonly<Record<string, unknown>>;
  /** A whole JSON document (a snapshot) that stands in place of the envelope. */
  readonly document?: string;
  /** The diagnostics are what was asked for, so they go to stdout: `check`. */
  readonly diagnosticsAreResult?: boolean;
  /** What goes on once the result is written: a server that runs until it is interrupted. */
  readonly afterwards?: () => Promise<void>;
}

const colors = createColors(true);
const palette: Palette = {
  error: (text) => colors.bold(colors.red(text)),
  warning: (text) => colors.bold(colors.yellow(text)),
  info: colors.cyan,
  strong: colors.bold,
  faint: colors.dim,
};

/** The ending of a command that could not begin its work. */
export function refusal(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  exit: Exit = 'refused',
): Ending {
  return { exit, diagnostics, sources, human: '', json: {} };
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}

/** Writes an ending and answers the process's exit code. */
export function finish(io: Io, format: Format, command: string, line: CommandLine, ending: Ending): number {
  const sources = new Map([...ending.sources, [COMMAND_LINE, line.text]]);
  const diagnostics = ending.diagnostics.map(withCure);
  if (format === 'sarif') {
    const log = sarifOf({
      diagnostics,
      sources,
      command: line,
      exitCode: exits[ending.exit],
      failed: ending.exit === 'usage' || ending.exit === 'bug',
      pageOf: (code) => pageOf(io.files, io.home, code),
    });
    io.stdout.write(`${JSON.stringify(log, null, 2)}\n`);
    return exits[ending.exit];
  }
  const json = format === 'json';
  if (json && ending.document === undefined) {
    io.stdout.write(`${JSON.stringify(envelope(command, { ...ending, diagnostics }, sources), null, 2)}\n`);
    return exits[ending.exit];
  }
  if (diagnostics.length > 0) {
    const sink = ending.diagnosticsAreResult === true ? io.stdout : io.stderr;
    sink.write(withNewline(render(diagnostics, sources, wantsColor(io, sink) ? { palette } : {})));
  }
  io.stdout.write((json ? ending.document : undefined) ?? ending.human);
  return exits[ending.exit];
}

function envelope(
  command: string,
  ending: Ending,
  sources: ReadonlyMap<string, string>,
): Record<string, unknown> {
  return {
    format: 'vfioplan.result',
    version: 1,
    command,
    exitCode: exits[ending.exit],
    diagnostics: diagnosticsToJson(ending.diagnostics, sources),
    ...ending.json,
  };
}

/** The ending for an exception that nobody expected: a code, no stack (unless asked for), and what to do. */
export function bug(io: Io, line: CommandLine, error: unknown): Ending {
  const what = error instanceof Error ? error.message.split('\n')[0] : String(error);
  if (error instanceof Error) sayStack(io, error);
  const diagnostic = report(
    'VP9001',
    line.placeOf(''),
    { what: what ?? '' },
    {
      cures: [
        'run it again with VFIOPLAN_DEBUG=1 and send what it prints, with the policy and the snapshot where you may, to the maintainers of vfioplan',
      ],
    },
  );
  return refusal([diagnostic], new Map(), 'bug');
}

/** Who reads a diagnostic that has no cure of its own, as its message says it already, is led to the page of its code. */
function withCure(diagnostic: Diagnostic): Diagnostic {
  if (diagnostic.cures.length > 0 || diagnostic.severity === 'info') return diagnostic;
  return { ...diagnostic, cures: [`\`vfioplan explain ${diagnostic.code}\` shows the mistake and its cure`] };
}

/** For who wants to mend vfioplan itself: where it happened. */
export function sayStack({ env, stderr }: Pick<Io, 'env' | 'stderr'>, { stack, message }: Error): void {
  if (env['VFIOPLAN_DEBUG'] === '1') stderr.write(`${stack ?? message}\n`);
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
