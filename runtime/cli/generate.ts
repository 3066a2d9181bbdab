import { commands } from './commands.ts';
import type { CommandDescription } from './descriptions.ts';
import { exitMeanings, exits } from './exit-codes.ts';

/** The manual, made of the same table as `--help`: a page for the web and one for man(1). */
export function generate(): Record<string, string> {
  return { 'docs/cli.md': markdown(), 'docs/man/vfioplan.1': roff() };
}

const codes = Object.entries(exits).map(([name, number]) => ({
  number,
  meaning: exitMeanings[name as keyof typeof exits],
}));

const streams =
  'Results are written on stdout, everything else on stderr. Colour is used on a terminal only, and not when NO_COLOR is set. With `--format json` the result is one document: `format` is `vfioplan.result` (a snapshot stands for itself), `version` is 1, and `diagnostics` has every diagnostic with its code, its place as line and column (from 1, in UTF-16 units) and offset, its causes, cures, the answer of the kernel where there is one, and its fixes as edits of the text, each with whether it is safe: whether `check --fix` makes it. `check --format sarif` writes the diagnostics as a log of SARIF 2.1.0, with the page of each code as the help of its rule.';

function markdown(): string {
  const lines = [
    '# The command line',
    '',
    '<!-- Generated from runtime/cli/commands.ts by `npm run generate`. -->',
    '',
    streams,
    '',
    '| exit code | meaning |',
    '|---|---|',
    ...codes.map(({ number, meaning }) => `| ${number} | ${meaning} |`),
    '',
  ];
  for (const command of commands) {
    lines.push(...section(command));
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function section({
  name,
  purpose,
  text,
  operands,
  options,
  examples,
  exits: names,
}: CommandDescription): string[] {
  const lines = [`## vfioplan ${name}`, '', `${capital(purpose)}.`, ''];
  if (text !== undefined) lines.push(text, '');
  lines.push('```', usage(name, operands), '```', '');
  const rows = [
    ...operands.map((operand) => [operand.name, operand.text]),
    ...options.map((option) => [option.flags, option.text + defaultOf(option.shows)]),
  ];
  if (rows.length > 0) {
    const cells = rows.map(([left = '', right]) => `| \`${left.replaceAll('|', '\\|')}\` | ${right} |`);
    lines.push('| | |', '|---|---|', ...cells, '');
  }
  for (const example of examples) {
    lines.push('```sh', `${example.words}    # ${example.text}`, '```', '');
  }
  lines.push(`Exit codes: ${[...names.map((exit) => exits[exit]), exits.bug].join(', ')}.`, '');
  return lines;
}

function roff(): string {
  const lines = [
    '.\\" Generated from runtime/cli/commands.ts by npm run generate.',
    '.TH VFIOPLAN 1',
    '.SH NAME',
    'vfioplan \\- policies for Linux VFIO: checked, planned, rehearsed, carried out',
    '.SH SYNOPSIS',
    '.B vfioplan',
    'command [option ...] [operand ...]',
    '.SH DESCRIPTION',
    roffText(streams),
    '.SH COMMANDS',
  ];
  for (const { name, purpose, text, operands, options, examples } of commands) {
    lines.push(
      `.SS ${roffText(usage(name, operands))}`,
      roffText(`${capital(purpose)}.${text === undefined ? '' : ` ${text}`}`),
    );
    for (const operand of operands) {
      lines.push('.TP', `.I ${roffText(operand.name)}`, roffText(operand.text));
    }
    for (const { flags, text: words, shows } of options) {
      lines.push('.TP', `.B ${roffText(flags)}`, roffText(words + defaultOf(shows)));
    }
    lines.push('.PP', 'Examples:');
    for (const example of examples) {
      lines.push('.TP', `.B ${roffText(example.words)}`, roffText(example.text));
    }
  }
  lines.push('.SH EXIT STATUS');
  for (const { number, meaning } of codes) {
    lines.push('.TP', `.B ${number}`, roffText(meaning));
  }
  return `${lines.join('\n')}\n`;
}

function usage(name: string, operands: CommandDescription['operands']): string {
  return ['vfioplan', name, '[options]', ...operands.map((operand) => operand.name)].join(' ');
}

function defaultOf(shows: string | undefined): string {
  return shows === undefined ? '' : ` (default: ${shows})`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A line that begins with a point or an apostrophe would be a request, and a hyphen would be typeset as a dash. */
function roffText(text: string): string {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/`/g, '')
    .replace(/^([.'])/, '\\&$1');
}
