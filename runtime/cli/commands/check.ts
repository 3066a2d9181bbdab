import type { CheckedHost } from '../../../src/check/checked.ts';
import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts';
import { type Ending, hasErrors } from '../exit.ts';
import type { Invocation } from '../invocation.ts';
import { judge } from '../judge.ts';
import { takeSnapshot } from '../live.ts';
import { counted } from '../words.ts';

/** `vfioplan check POLICY…`: every diagnostic, then a verdict for each host. */
export async function check(invocation: Invocation): Promise<Ending> {
  const live = invocation.options.live ? await takeSnapshot(invocation) : undefined;
  const { loaded, hosts, diagnostics } = judge(invocation, live?.snapshot);
  const all = [...(live?.diagnostics ?? []), ...diagnostics];
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

function verdict({ host, checked }: CheckedHost): string {
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
