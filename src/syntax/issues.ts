import { maxDepth } from '../../grammar/blocks.ts';
import type { Issue } from '../../grammar/issue.ts';
import { type Context, type Keyword, keywords } from '../../grammar/keywords.ts';
import { endOf } from '../../grammar/lexer.ts';
import { blockLimit, declarationLimit } from '../../grammar/parse.ts';
import { beginnersOf, labelOf, wordsOf } from '../../grammar/tokens.ts';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { insertionBefore, type Meant, removal, replacement, wordMeant } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { shown } from './hidden.ts';
import { timeUnits, units } from './measures.ts';
import { resetMethods } from './values.ts';

const blockNames: Readonly<Record<Context, string>> = {
  file: 'at the top level of a file',
  host: 'in a `host` block',
  permission: 'in a `noiommu allowed` block',
  device: 'in a `device` block',
  policy: 'in a `policy` block',
  test: 'in a `test` block',
  actor: 'in an `as` block',
  expectation: 'after `expect`',
};

type Missing = Issue & { kind: 'missing' };

/** What the grammar found, as a person is told. `base` is the block's offset in the file. */
export function diagnose(file: string, base: number, text: string, issue: Issue): Diagnostic {
  const place: Place = { file, span: { start: base + issue.start, end: base + issue.end } };
  switch (issue.kind) {
    case 'unexpected':
      return unexpected(place, issue.text);
    case 'unclosed-text':
      return unclosedText(place, text.slice(issue.start, issue.end));
    case 'unclosed-block':
      return unclosedBlock(place, text, base, issue);
    case 'missing':
      return missing(place, issue, base, text);
    case 'stray':
      return stray(place, issue.text, text.slice(0, issue.start));
    case 'unknown':
      return unknown(place, issue, text.slice(Math.max(0, issue.start - lastWords), issue.start));
    case 'too-deep':
      return report(
        'VP1015',
        place,
        { limit: maxDepth },
        {
          cures: [
            'no declaration needs more than five levels: look for braces or parentheses that were never closed',
          ],
        },
      );
    case 'too-large':
      return report(
        'VP1013',
        place,
        { what: 'this declaration', size: text.length, limit: blockLimit },
        {
          cures: ['split it into several declarations; policies with the same host add up'],
        },
      );
    case 'too-many':
      return report(
        'VP1030',
        place,
        { limit: declarationLimit },
        { cures: ['split the file into several, and `import` them'] },
      );
  }
}

function unexpected(place: Place, text: string): Diagnostic {
  // What ends a statement elsewhere means nothing here; what could be a part of a name may mean something.
  const terminator = text === ';';
  const cures = terminator
    ? ['statements need no terminator: remove it']
    : ['a name or a path with such characters stands in quotes; otherwise remove it'];
  const fixes = [removal(place, `\`${shown(text)}\``, terminator)];
  return report('VP1001', place, { text: shown(text) }, { cures, fixes });
}

function unclosedText(place: Place, text: string): Diagnostic {
  // What the author meant most likely ends before the white space, brace or comment that ends the line.
  const meant = text.replace(/[\s}]*(?:#.*)?$/, '');
  const at = place.span.start + Math.max(1, meant.length);
  const closing = { file: place.file, span: { start: at, end: at }, text: '"' };
  return report(
    'VP1002',
    place,
    {},
    {
      cures: ['close it with `"`; a text cannot go on in the next line'],
      fixes: [{ title: 'close the text', safe: false, edits: [closing] }],
    },
  );
}

function unclosedBlock(
  place: Place,
  text: string,
  base: number,
  { open, last }: Issue & { kind: 'unclosed-block' },
): Diagnostic {
  const rest = /^[^\r\n]*/.exec(text.slice(last))?.[0] ?? '';
  // Behind a comment, which goes on to the end of its line.
  const at = base + last + (rest.includes('#') ? rest.length : 0);
  const ownLine = /[\r\n]/.test(text.slice(place.span.start - base, at - base)) || rest.includes('#');
  const closing = (ownLine ? '\n}' : ' }').repeat(open);
  const edits = [{ file: place.file, span: { start: at, end: at }, text: closing }];
  const cures = ['close it with `}` after its last statement'];
  return report('VP1003', place, {}, { cures, fixes: [{ title: 'close the block', safe: false, edits }] });
}

function missing(place: Place, issue: Missing, base: number, text: string): Diagnostic {
  const words = issue.expected.flatMap(wordsOf);
  const { found, after } = issue;
  const holes = {
    expected: expectedText(issue),
    after: after === undefined ? '' : ` after \`${shown(after.image)}\``,
    found: found === undefined ? 'the end' : `\`${shown(found)}\``,
  };
  const meant = found === undefined ? undefined : wordMeant(place, found, words);
  if (meant !== undefined && meant.fixes.length > 0) return report('VP1004', place, holes, meant);
  const slip = expectationMeant(place.file, base, issue) ?? unitMeant(place.file, base, issue);
  if (slip !== undefined) return report('VP1004', place, holes, slip);
  const single = issue.expected.length === 1 || words[0] === 'on' ? labelOf(issue.expected[0] ?? '') : '';
  const insertable = found === undefined ? undefined : /^`([^`]+)`$/.exec(single)?.[1];
  if (found !== undefined && found in keywords && insertable === undefined && words.length === 0) {
    const quoted = `"${found}"`;
    return report('VP1004', place, holes, {
      causes: [`\`${found}\` is a word of the language here`],
      cures: [`write the missing word before \`${found}\`, or ${quoted} in quotes if it is the name`],
    });
  }
  if (found === ',') {
    const cures = ['no list can stand here: write a statement for each, or name a set of `devices`'];
    return report('VP1004', place, holes, { cures });
  }
  if (found === undefined || found === '}' || breaksOff(found, insertable)) {
    const cures = [`the statement breaks off: write ${holes.expected} and what follows it, or remove it`];
    return report('VP1004', place, holes, { cures });
  }
  if (insertable === undefined) {
    return report('VP1004', place, holes, {
      cures: [`write ${holes.expected} ${found === '{' ? 'before' : 'in the place of'} ${holes.found}`],
    });
  }
  return report('VP1004', place, holes, {
    cures: [`write \`${insertable}\` before \`${shown(found)}\``],
    fixes: [
      insertionBefore(
        place,
        insertable,
        canBeNoOther(insertable, issue),
        /\S/.test(text.charAt(issue.start - 1)),
      ),
    ],
  });
}

/** What follows `expect` is taken for a device's name, if it is none of the words that may stand there: it may be a slip in one. */
function expectationMeant(file: string, base: number, { expected, after }: Missing): Meant | undefined {
  if (expected.length !== 1 || expected[0] !== '"bound"' || after === undefined) return undefined;
  const span = { start: base + after.startOffset, end: base + after.startOffset + after.image.length };
  const meant = wordMeant({ file, span }, after.image, beginnersOf('expectation'));
  return meant.fixes.length === 0 ? undefined : meant;
}

/** `4GiB`, `120s`: a number and its unit are two words. */
function unitMeant(file: string, base: number, { expected, after }: Missing): Meant | undefined {
  const list = expected[0] === 'Unit' ? units : expected[0] === 'TimeUnit' ? timeUnits : {};
  const [, amount = '', written = ''] = /^(\d+)([A-Za-z]+)$/.exec(after?.image ?? '') ?? [];
  const unit = Object.keys(list).find((each) => each.toLowerCase() === written.toLowerCase());
  if (after === undefined || unit === undefined) return undefined;
  const place = { file, span: { start: base + after.startOffset, end: base + endOf(after) } };
  const meant = `${amount} ${unit}`;
  return {
    cures: [`the number and its unit are two words: \`${meant}\``],
    fixes: [replacement(place, meant, true)],
  };
}

/**
 * A word that joins two others; a brace, or `on`, is one of several things that could be missing. Where the same word stands
 * before it already, a name was left out instead; and what stands before `bound` could be a device's name, or a slip in one
 * of the words that may follow `expect`.
 */
function canBeNoOther(word: string, { expected, after }: Missing): boolean {
  return word in keywords && expected.length === 1 && after?.image !== word && word !== 'bound';
}

/** Whether the word begins a statement in some block: then the one before it breaks off, unless its block begins here. */
function breaksOff(word: string, missing: string | undefined): boolean {
  const keyword: Keyword | undefined = (keywords as Readonly<Record<string, Keyword>>)[word];
  if (missing === '{') return (beginnersOf('file') as readonly string[]).includes(word);
  return keyword?.begins !== undefined && keyword.connects === undefined;
}

/** "`to`", "`isolated` or `resets`"; for a property, what that property takes. */
function expectedText({ expected, after }: Missing): string {
  const keyword: Keyword | undefined = (keywords as Readonly<Record<string, Keyword>>)[after?.image ?? ''];
  if (expected.length === 1 && expected[0] === 'Property' && keyword?.takes !== undefined)
    return keyword.takes;
  const labels = expected.map(labelOf);
  const last = labels.pop() ?? '';
  return labels.length === 0 ? last : `${labels.join(', ')} or ${last}`;
}

function stray(place: Place, text: string, before: string): Diagnostic {
  if (text !== '}') {
    const cures = ['remove it, or put it into a declaration'];
    return report('VP1006', place, { text: shown(text) }, { cures });
  }
  const cures = ['remove this brace, or find the block above that was closed too early'];
  // Behind a declaration it closes nothing; behind anything else, that may have been meant to stand in the block.
  const surplus = /(?:^|\})\s*$/.test(before);
  return report('VP1006', place, { text }, { cures, fixes: [removal(place, '`}`', surplus)] });
}

/** How much of the text before a word is looked at: more than a word of any list, and bounded, for there may be many. */
const lastWords = 80;

/** Words that go on a list, where the comma before them was left out: `hold root boot`, `across boots before drivers`. */
const lists: readonly ReadonlySet<string>[] = [
  new Set(wordsOf('HoldingWord')),
  new Set(resetMethods),
  new Set(['boots', 'before']),
];

function listed(place: Place, word: string, before: string): Meant | undefined {
  const [, last = ''] = /([\w-]+)\s*$/.exec(before) ?? [];
  if (last === word || !lists.some((list) => list.has(last) && list.has(word))) return undefined;
  const at = place.span.start - (before.length - before.trimEnd().length);
  const edits = [{ file: place.file, span: { start: at, end: at }, text: ',' }];
  const fixes = [{ title: `insert \`,\` before \`${word}\``, safe: false, edits }];
  return { cures: ['the members of a list are parted by commas'], fixes };
}

function unknown(place: Place, issue: Issue & { kind: 'unknown' }, before: string): Diagnostic {
  const { word, context } = issue;
  const beginners = beginnersOf(context);
  const home = (Object.keys(blockNames) as Context[]).find((other) =>
    (beginnersOf(other) as readonly string[]).includes(word),
  );
  const holes = { word: shown(word), where: blockNames[context] };
  if (home !== undefined) {
    return report('VP1005', place, holes, {
      causes: [`\`${word}\` stands ${blockNames[home]}`],
      cures: ['move it there; a block above may have been closed too early'],
    });
  }
  const comma = listed(place, word, before);
  if (comma !== undefined) return report('VP1005', place, holes, comma);
  const meant = wordMeant(place, word, beginners);
  if (meant.fixes.length > 0) return report('VP1005', place, holes, meant);
  const list = beginners.map((text) => `\`${text}\``).join(', ');
  return report('VP1005', place, holes, { cures: [`a statement here begins with ${list}`] });
}
