import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { commands } from './commands.ts';
import type { CommandDescription, OptionDescription } from './descriptions.ts';
import { exitMeanings, exits } from './exit-codes.ts';
import type { Run } from './invocation.ts';
import type { Io } from './io.ts';
import { version } from './version.ts';

/** What commander understood: the command, its operands and its options as commander spells them. */
export interface Call {
  readonly description: CommandDescription;
  readonly operands: readonly string[];
  readonly given: Readonly<Record<string, unknown>>;
  readonly load: () => Promise<Run>;
}

/** `help`: help was asked for and written; `mistake`: the words were not understood, and nothing was written. */
export type Parsed =
  | Call
  | { readonly help: true }
  | { readonly mistake: string; readonly cure: string | null };

/** Tells the words of a command line apart. Nothing is run and no file is read. */
export async function parse(io: Io, argv: readonly string[]): Promise<Parsed> {
  let call: Call | undefined;
  const program = programOf(io, (found) => {
    call = found;
  });
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return { help: true };
    // `vfioplan help check` says so too; `vfioplan` alone does not, and is a mistake.
    if (error.code === 'commander.help' && argv.includes('help')) return { help: true };
    return mistakeOf(error);
  }
  if (call === undefined) return { mistake: 'no command is named', cure: 'see `vfioplan --help`' };
  return excess(call) ?? call;
}

/** An operand too many: most often a subcommand that was mistyped. */
function excess({ description, operands }: Call): Parsed | null {
  const { name, operands: described } = description;
  if (described.at(-1)?.name.includes('...')) return null;
  const word = operands[described.length];
  if (word === undefined) return null;
  const below = commands.flatMap((each) =>
    each.name.startsWith(`${name} `) ? [`\`vfioplan ${each.name}\``] : [],
  );
  const cure = below.length === 0 ? `see \`vfioplan ${name} --help\`` : `there are ${below.join(' and ')}`;
  return { mistake: `\`${word}\` is a word too many for \`vfioplan ${name}\``, cure };
}

/** The whole command line as commander has it; the manual is made of it too. */
function programOf(io: Io, onCall: (call: Call) => void): Command {
  const program = prepared(new Command('vfioplan'), io)
    .description('Policies for Linux VFIO: checked, planned, rehearsed, carried out.')
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'help for a command')
    .enablePositionalOptions()
    .addHelpText('after', `\n${rootHelp}`);
  const known = new Map<string, Command>();
  for (const description of commands) {
    const words = description.name.split(' ');
    const parent = known.get(words.slice(0, -1).join(' ')) ?? program;
    const command = prepared(new Command(words.at(-1)), io).enablePositionalOptions();
    describe(command.allowExcessArguments(), description);
    command.action(() => {
      onCall({ description, operands: command.args, given: command.opts(), load: description.load });
    });
    parent.addCommand(command);
    known.set(description.name, command);
  }
  return program;
}

function prepared(command: Command, io: Io): Command {
  return command
    .exitOverride()
    .helpOption('-h, --help', 'help')
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // Mistakes are diagnostics like all others, and are written where those are.
      outputError: () => {},
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

function describe(command: Command, description: CommandDescription): void {
  command.summary(description.purpose).description(sentence(description));
  for (const { name, text } of description.operands) {
    command.argument(name, text);
  }
  for (const option of description.options) {
    command.addOption(optionOf(option));
  }
  command.addHelpText('after', `\n${examplesAndExits(description)}`);
}

function sentence({ purpose, text }: CommandDescription): string {
  const first = `${purpose.charAt(0).toUpperCase()}${purpose.slice(1)}.`;
  return text === undefined ? first : `${first}\n\n${text}`;
}

function optionOf({ key, flags, text, shows, repeats }: OptionDescription): Option {
  const option = new Option(flags, shows === undefined ? text : `${text} (default: ${shows})`);
  if (key === 'format') option.argParser(oneOf(flags));
  if (repeats === true) {
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  }
  return option;
}

/** One of the words that the flags show: `--format <human|json>`. */
function oneOf(flags: string): (value: string) => string {
  const words = /<(.*)>/.exec(flags)?.[1]?.split('|') ?? [];
  return (value) => {
    if (words.includes(value)) return value;
    throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`);
  };
}

function examplesAndExits({ examples, exits: names }: CommandDescription): string {
  const shown = examples.map(({ words, text }) => `  ${words}\n      ${text}`);
  const codes = [...names, 'bug' as const].map(
    (name) => `  ${String(exits[name]).padEnd(3)} ${exitMeanings[name]}`,
  );
  return ['Examples:', ...shown, '', 'Exit codes:', ...codes].join('\n');
}

const rootHelp = [
  'Start here:',
  '  vfioplan snapshot --out machine.json      write down the machine (as root)',
  '  vfioplan check policy.vfio                judge a policy against it',
  '  vfioplan plan policy.vfio                 see what would be done',
  '  vfioplan apply policy.vfio                rehearse it on a simulated kernel',
  '  vfioplan test policy.vfio                 run the tests that it has',
  '',
  'Results are written on stdout, everything else on stderr. NO_COLOR is honoured.',
].join('\n');

/** commander's message is a sentence with a hint in brackets; the hint becomes the cure. */
function mistakeOf(error: CommanderError): Parsed {
  if (error.code === 'commander.help')
    return { mistake: 'no command is named', cure: 'see `vfioplan --help`' };
  const [, message = '', hint] =
    /^(?:error: )?(.*?)\s*(?:\((Did you mean .*)\))?$/s.exec(error.message) ?? [];
  const mistake = message.replace(/\.$/, '').replaceAll("'", '`');
  return {
    mistake,
    cure: hint === undefined ? null : hint.replace(/^Did you mean (.*)\?$/s, 'did you mean `$1`?'),
  };
}
