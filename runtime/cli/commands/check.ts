import type { CheckedHost } from '../../../src/check/checked.ts';
import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts';
import { report } from '../../../src/diagnostics/report.ts';
import { type Ending, hasErrors, refusal } from '../exit.ts';
import type { Invocation } from '../invocation.ts';
import { type Judged, judge } from '../judge.ts';
import { takeWhole } from '../live.ts';
import { type Mended, madeText, mend, patch, write } from '../mend.ts';
import { counted } from '../words.ts';

/** `vfioplan check POLICY…`: every diagnostic, then a verdict for each host. */
export async function check(invocation: Invocation): Promise<Ending> {
  const { options } = invocation;
  const mistake = options.fix || options.diff ? badFix(invocation) : null;
  if (mistake !== null) return mistake;
  const live = options.live ? await takeWhole(invocation) : undefined;
  const before = live?.diagnostics ?? [];
  if (!options.fix) return ending(judge(invocation, live?.snapshot), before);
  const mended = mend(invocation, live?.snapshot);
  if (options.diff) return shown(mended, before);
  const unwritten = write(invocation, mended);
  const { human, json, ...rest } = ending(mended.judged, [...before, ...unwritten]);
  const made = unwritten.length === 0 ? madeText(mended) : '';
  return { ...rest, human: made + human, json: { ...json, fixed: mended.made } };
}

function badFix({ operands, options, line }: Invocation): Ending | null {
  const input = options.fix && !options.diff && operands.includes('-');
  if (options.fix && !input) return null;
  const [word, what, cure] = input
    ? ['-', 'standard input cannot be changed in its place', 'name files, or add `--diff` to see the changes']
    : ['--diff', '`--diff` shows what `--fix` would change', 'add `--fix`'];
  return refusal([report('VP2910', line.placeOf(word), { what }, { cures: [cure] })], new Map(), 'usage');
}

/** What would be changed, alone on stdout. */
function shown(mended: Mended, before: readonly Diagnostic[]): Ending {
  const { exit, diagnosticsAreResult: _, ...rest } = ending(mended.judged, before);
  const diff = patch(mended);
  const pending = exit === 'done' && diff !== '';
  return {
    ...rest,
    exit: pending ? 'pending' : exit,
    human: diff,
    json: { ...rest.json, fixed: mended.made, diff },
  };
}

function ending({ loaded, hosts, diagnostics }: Judged, before: readonly Diagnostic[]): Ending {
  const all = [...before, ...diagnostics];
  return {
    exit: hasErrors(all) ? 'refused' : 'done',
    diagnostics: all,
    sources: loaded.texts,
    human: `${hosts.map(verdict).join('')}${summary(all)}\n`,
    json: {
      hosts: hosts.map(({ host, checked }) => ({
        host,
        accepted: checked !== undefined,
        preconditions: checked?.script.preconditions.map(({ fact, sentence, unknown }) => ({
          fact,
          sentence,
          unknown,
        })),
      })),
    },
    diagnosticsAreResult: true,
  };
}

function verdict({ host, diagnostics, policy, checked }: CheckedHost): string {
  if (policy === undefined && !hasErrors(diagnostics)) return `${host}: not judged, as it has no snapshot\n`;
  if (checked === undefined) return `${host}: refused\n`;
  const { preconditions } = checked.script;
  if (preconditions.length === 0) return `${host}: accepted\n`;
  const facts = preconditions.map(({ sentence, unknown }) => `  - ${sentence} (not known: ${unknown})\n`);
  return `${host}: accepted, if the machine shows that\n${facts.join('')}`;
}

function summary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning').length;
  if (errors + warnings === 0) return 'nothing is wrong';
  return [counted(errors, 'error'), counted(warnings, 'warning')].filter((part) => part !== '').join(', ');
}
