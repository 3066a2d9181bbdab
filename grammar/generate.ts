/**
 * What is made from the one vocabulary and the one grammar: the reference's EBNF and diagrams, and the highlighters of Monaco and of
 * everything that reads TextMate grammars. `npm run generate` writes them; a test checks that they are fresh.
 */
import {
  Alternation,
  type IProduction,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatory,
  type Rule,
  Terminal,
} from 'chevrotain';
import { diagrams } from './diagrams.ts';
import { type Keyword, type KeywordText, keywords } from './keywords.ts';
import { parser } from './parser.ts';
import * as t from './tokens.ts';
import * as values from './values.ts';

/** Path, relative to the repository, to text. */
export function generate(): Record<string, string> {
  return {
    'grammar/generated/ebnf.md': ebnf(),
    ...diagrams(),
    'grammar/generated/monarch.json': json(monarch()),
    'grammar/generated/vfioplan.tmLanguage.json': json(textMate()),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

// EBNF

function ebnf(): string {
  const rules = Object.values(parser.getGAstProductions()).filter(({ name }) => !t.skippingRule.test(name));
  const order = ['declaration', ...rules.map(({ name }) => name).filter((name) => name !== 'declaration')];
  const lines = order.flatMap((name) => rules.filter((rule) => rule.name === name).map(ruleText));
  const roles = Object.values(t.roles).map(({ name, LABEL }) => {
    const outside = keywordsOutside(name);
    const all = outside.length === Object.keys(keywords).length;
    return `| ${name} | ${LABEL} | ${all ? 'all' : outside.map((word) => `\`${word}\``).join(' ')} |`;
  });
  return `# The grammar

Made from the parser by \`npm run generate\`. White space and comments (\`#\` to the end of the line) may stand between
any two words.

\`\`\`ebnf
policy-file = { declaration } ;
${lines.join('\n')}
\`\`\`

A name is a word or a text in quotes. A keyword may be a name too, except where it would be taken for the next
statement, or for the next part of this one; there it needs quotes:

| name | stands for | keywords that need quotes |
|---|---|---|
${roles.join('\n')}
`;
}

function keywordsOutside(role: string): string[] {
  const isMember = (word: KeywordText) => t.categoriesOf(t.k[word]).some(({ name }) => name === role);
  return (Object.keys(keywords) as KeywordText[]).filter((word) => !isMember(word));
}

function ruleText(rule: Rule): string {
  return `${rule.name} = ${sequence(rule.definition)} ;`;
}

function sequence(definition: readonly IProduction[]): string {
  return definition.map(production).filter(Boolean).join(' ');
}

function production(node: IProduction): string {
  if (node instanceof Terminal) return terminal(node.terminalType);
  if (node instanceof NonTerminal)
    return t.skippingRule.test(node.nonTerminalName) ? '' : node.nonTerminalName;
  if (node instanceof Alternation)
    return alternation(node.definition as unknown as Parameters<typeof alternation>[0]);
  const { definition } = node as unknown as { definition: IProduction[] };
  if (sequence(definition) === '') return '';
  if (node instanceof Option) return `[ ${sequence(definition)} ]`;
  if (node instanceof Repetition) return `{ ${sequence(definition)} }`;
  if (node instanceof RepetitionMandatory) return `${sequence(definition)} { ${sequence(definition)} }`;
  return sequence(definition);
}

function alternation(alternatives: readonly { readonly definition: readonly IProduction[] }[]): string {
  const texts = alternatives.map(({ definition }) => sequence(definition)).filter(Boolean);
  return texts.length === 1 ? (texts[0] ?? '') : `( ${texts.join(' | ')} )`;
}

/** Keywords and marks as they are written, groups of keywords as alternatives, roles by their names. */
function terminal({ name, LABEL = name }: { name: string; LABEL?: string }): string {
  const words = t.wordsOf(name).map((word) => `"${word}"`);
  if (words.length > 0) return words.length === 1 ? (words[0] ?? '') : `( ${words.join(' | ')} )`;
  if (name === t.Relation.name) return '( ">=" | "<=" | ">" | "<" | "=" )';
  const mark = /^`([^`]+)`$/.exec(LABEL);
  return mark === null ? name : `"${mark[1]}"`;
}

// Highlighters

type Shade = 'statement' | 'join' | 'constant';

/** Keywords by how they are shown: those that begin statements, those that join, and those that are values. */
function shadeOf(keyword: Keyword): Shade {
  if (keyword.begins !== undefined) return 'statement';
  return keyword.joins || keyword.connects ? 'join' : 'constant';
}

function wordsShaded(shade: Shade): string[] {
  const entries = Object.entries<Keyword>(keywords);
  return entries.filter(([, keyword]) => shadeOf(keyword) === shade).map(([word]) => word);
}

const wordEnd = '(?![A-Za-z0-9_*:+@/.-])';

/** A pattern for a whole word, as one for a word among others. */
function asWord(pattern: RegExp): string {
  return pattern.source.replace(/^\^/, '').replace(/\$$/, wordEnd);
}

const numbers = [
  values.addressPattern,
  values.macPattern,
  values.identityPattern,
  values.datePattern,
  values.versionPattern,
  values.numberPattern,
].map(asWord);

const escapes = String.raw`\\(?:["\\nt]|u\{[0-9A-Fa-f]{1,6}\})`;
const markPattern = t.marks
  .map(({ image }) => image.replace(/[.(){}]/g, '\\$&'))
  .filter((image) => !/[{}]/.test(image))
  .join('|');

function monarch() {
  return {
    defaultToken: '',
    tokenPostfix: '.vfio',
    statements: wordsShaded('statement'),
    joins: wordsShaded('join'),
    constants: wordsShaded('constant'),
    brackets: [
      { open: '{', close: '}', token: 'delimiter.curly' },
      { open: '(', close: ')', token: 'delimiter.parenthesis' },
    ],
    tokenizer: {
      root: [
        [t.commentPattern.source, 'comment'],
        ['"', 'string', '@text'],
        // A pattern's own groups would be taken for the rule's.
        ...numbers.map((number) => [number.replace(/\((?!\?)/g, '(?:').replace(/\\1/g, '[:-]'), 'number']),
        [
          t.wordPattern.source,
          {
            cases: {
              '@statements': 'keyword',
              '@joins': 'keyword.operator',
              '@constants': 'type',
              '@default': 'identifier',
            },
          },
        ],
        ['[{}()]', '@brackets'],
        [markPattern, 'delimiter'],
      ],
      text: [
        [escapes, 'string.escape'],
        ['[^"\\\\]+$', 'string', '@pop'],
        ['[^"\\\\]+', 'string'],
        [String.raw`\\.?$`, 'string', '@pop'],
        [String.raw`\\.`, 'invalid'],
        ['"', 'string', '@pop'],
      ],
    },
  };
}

function textMate() {
  const words = (shade: Shade) => `(?<![A-Za-z0-9_*:+@/.-])(?:${wordsShaded(shade).join('|')})${wordEnd}`;
  return {
    $schema: 'https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json',
    name: 'vfioplan',
    scopeName: 'source.vfio',
    fileTypes: ['vfio'],
    patterns: [
      { name: 'comment.line.number-sign.vfio', match: t.commentPattern.source },
      {
        name: 'string.quoted.double.vfio',
        begin: '"',
        end: '"|$',
        patterns: [{ name: 'constant.character.escape.vfio', match: escapes }],
      },
      ...numbers.map((match) => ({
        name: 'constant.numeric.vfio',
        match: `(?<![A-Za-z0-9_*:+@/.-])${match}`,
      })),
      { name: 'keyword.control.vfio', match: words('statement') },
      { name: 'keyword.operator.word.vfio', match: words('join') },
      { name: 'support.constant.vfio', match: words('constant') },
      { name: 'punctuation.separator.vfio', match: markPattern },
    ],
  };
}
