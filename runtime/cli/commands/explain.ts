import { type Explanation, explainAll, explain as explained } from '../../../src/diagnostics/explain.ts';
import { report } from '../../../src/diagnostics/report.ts';
import { type Ending, refusal } from '../exit.ts';
import type { Invocation } from '../invocation.ts';
import { pageOf } from '../pages.ts';

/** `vfioplan explain [CODE]`: the page of a code, or the list of all. */
export function explain(invocation: Invocation): Ending {
  const [word] = invocation.operands;
  if (word === undefined) return list();
  const explanation = explained(word);
  return explanation === undefined ? unknownCode(invocation, word) : page(invocation, explanation);
}

function page({ io }: Invocation, explanation: Explanation): Ending {
  const { code, severity, title, message } = explanation;
  const text = pageOf(io.files, io.home, code);
  const human =
    text ??
    `# ${code}: ${title}\n\nThe message: ${message}\n\n(The page is not installed beside the program.)\n`;
  return done(human, { code, severity, title, message, page: text });
}

function list(): Ending {
  const all = explainAll();
  const human = all.map(({ code, severity, title }) => `${code}  ${severity.padEnd(7)}  ${title}\n`).join('');
  return done(human, { codes: all.map(({ code, severity, title }) => ({ code, severity, title })) });
}

function done(human: string, json: Record<string, unknown>): Ending {
  return { exit: 'done', diagnostics: [], sources: new Map(), human, json };
}

function unknownCode({ line }: Invocation, word: string): Ending {
  const diagnostic = report(
    'VP2910',
    line.placeOf(word),
    { what: `there is no diagnostic code \`${word}\`` },
    { cures: ['`vfioplan explain` lists all codes'] },
  );
  return refusal([diagnostic], new Map(), 'usage');
}
