import { report } from '../../src/diagnostics/report.ts';
import { type CommandLine, commandLineOf } from './command-line.ts';
import { bug, type Ending, finish, refusal } from './exit.ts';
import type { Format } from './invocation.ts';
import type { Io } from './io.ts';
import { formatOf, optionsFrom } from './options.ts';
import { type Call, parse } from './program.ts';

/** Runs one command line (without `node` and the program's name) and answers its exit code. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const line = commandLineOf(argv);
  try {
    const parsed = await parse(io, argv);
    if ('help' in parsed) return 0;
    if ('mistake' in parsed) {
      return finish(
        io,
        formatWanted(argv),
        '',
        line,
        usage(line, parsed.mistake, quotedIn(parsed.mistake), parsed.cure),
      );
    }
    return await call(io, line, argv, parsed);
  } catch (error) {
    return finish(io, formatWanted(argv), '', line, bug(io, line, error));
  }
}

async function call(io: Io, line: CommandLine, argv: readonly string[], parsed: Call): Promise<number> {
  const { name } = parsed.description;
  const options = optionsFrom(io, parsed.given);
  if ('mistake' in options) {
    return finish(
      io,
      formatWanted(argv),
      name,
      line,
      usage(line, options.mistake, options.word, options.cure),
    );
  }
  let ending: Ending;
  try {
    const run = await parsed.load();
    ending = await run({ io, line, operands: parsed.operands, options });
  } catch (error) {
    ending = bug(io, line, error);
  }
  const code = finish(io, options.format, name, line, ending);
  await ending.afterwards?.();
  return code;
}

/** The ending of a command line that was not understood. */
function usage(line: CommandLine, what: string, word: string, cure: string | null): Ending {
  const diagnostic = report(
    'VP2910',
    line.placeOf(word),
    { what },
    { cures: [cure ?? 'see `vfioplan help` and `vfioplan COMMAND --help`'] },
  );
  return refusal([diagnostic], new Map(), 'usage');
}

/** Of the words that a message quotes, the one that was typed. */
function quotedIn(message: string): string {
  return /`([^`\s]+)[^`]*`/.exec(message)?.[1] ?? '';
}

/** The format, before the options are understood: a program that asked for JSON gets its mistakes as JSON. */
function formatWanted(argv: readonly string[]): Format {
  const at = argv.findIndex((word) => word === '--format' || word.startsWith('--format='));
  const word = argv[at];
  const format = formatOf(word === '--format' ? argv[at + 1] : word?.slice('--format='.length));
  return format === 'sarif' && argv[0] !== 'check' ? 'human' : format;
}
