import {
  Alternation,
  type IProduction,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatory,
  Terminal,
} from 'chevrotain';
import fc from 'fast-check';
import { parser } from '../../grammar/parser.ts';
import { Relation, wordsOf } from '../../grammar/tokens.ts';

/**
 * Policy files that the grammar itself makes: a walk through its rules, every choice taken from a list of numbers. What
 * the language learns is in them with no change here. Between the words stand spaces, line breaks and comments of all kinds.
 */
export const sentences: fc.Arbitrary<string> = fc
  .tuple(numbers(), numbers())
  .map(([words, layout]) => laidOut(new Walk(new Choices(words)).words(), new Choices(layout)));

/** The words of one file alone. */
export const wordLists: fc.Arbitrary<readonly string[]> = numbers().map((words) =>
  new Walk(new Choices(words)).words(),
);

function numbers(): fc.Arbitrary<number[]> {
  return fc.array(fc.nat(1 << 16), { minLength: 1, maxLength: 200, size: 'max' });
}

/** Rules that say how broken text is read, not what the language is. */
const skipping = /^(?:unknown|rest|skipped)/;

const names = [
  'uplink',
  'edge-01',
  'db-*',
  '"a name"',
  'x',
  '1.',
  'ixgbe',
  '0000:03:00.0',
  '8086:1572',
  '"漢字"',
];
const texts = ['"net-team"', '"a # and a { in a text"', '""', '"\\"\\u{41}"'];
const values: Readonly<Record<string, readonly string[]>> = {
  LabelValue: texts,
  File: texts,
  TestName: texts,
  Errno: ['EACCES', 'EBUSY'],
  Code: ['VP4101'],
  IoAddress: ['0x0', '0x100000'],
  Reason: [...texts, '2027-03-01'],
  Version: ['6.1', '6.12.4'],
  Amount: ['4', '0', '12.'],
  Capability: ['CAP_SYS_RAWIO', 'CAP_IPC_LOCK'],
  [Relation.name]: ['>=', '<', '='],
};

const gaps = [
  ...[' ', ' ', ' ', '  ', '\t', '\n', '\n', '\n    ', '\n\n', '\n\n\n\n\t', '\r\n', '\r', '\u00a0'],
  ...[
    ' # at the end of a line\n',
    '#\n',
    '\n# alone\n',
    '\n\n  # apart  \n\n',
    ' # one\n      # two\n',
    ' #\r\n',
  ],
];

class Choices {
  private next = 0;
  private readonly numbers: readonly number[];

  constructor(numbers: readonly number[]) {
    this.numbers = numbers;
  }

  get left(): boolean {
    return this.next < this.numbers.length;
  }

  /** A number below `count`; 0 when all are used up, so that every walk ends. */
  below(count: number): number {
    const number = this.numbers[this.next] ?? 0;
    this.next += 1;
    return number % count;
  }

  from<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

function laidOut(words: readonly string[], choices: Choices): string {
  const beginning = choices.from(['', '', '\n\n', '# first\n', '\ufeff', '\n # first\n\n']);
  return beginning + words.map((word, index) => word + gapAfter(word, words[index + 1], choices)).join('');
}

function gapAfter(word: string, next: string | undefined, choices: Choices): string {
  if (next === undefined) return choices.from(['', '\n', '  ', '\n\n\n', ' # last', '\n# last\n']);
  const gap = choices.from(gaps);
  // Words of which one is a mark may touch.
  const touch = /[{}(),]$/.test(word) || /^[{}(),]/.test(next);
  return touch && choices.below(4) === 0 ? '' : gap;
}

class Walk {
  private readonly choices: Choices;
  private readonly rules = parser.getGAstProductions();

  constructor(choices: Choices) {
    this.choices = choices;
  }

  words(): string[] {
    const words: string[] = [];
    do words.push(...this.rule('declaration'));
    while (this.choices.left);
    return words;
  }

  private rule(name: string): string[] {
    return this.sequence(this.rules[name]?.definition ?? []);
  }

  private sequence(definition: readonly IProduction[]): string[] {
    return definition.flatMap((production) => this.production(production));
  }

  private production(node: IProduction): string[] {
    if (node instanceof Terminal) return [this.terminal(node.terminalType)];
    if (node instanceof NonTerminal) return this.rule(node.nonTerminalName);
    const { definition } = node as unknown as { definition: IProduction[] };
    if (node instanceof Alternation)
      return this.production(this.choices.from(definition.filter(isOfTheLanguage)));
    if (node instanceof Option)
      return isOfTheLanguage(node) && this.choices.below(2) === 1 ? this.sequence(definition) : [];
    const repeats = node instanceof Repetition || node instanceof RepetitionMandatory;
    const count = repeats ? this.choices.below(4) + (node instanceof Repetition ? 0 : 1) : 1;
    return Array.from({ length: count }, () => this.sequence(definition)).flat();
  }

  private terminal({ name, LABEL = '' }: { name: string; LABEL?: string }): string {
    const words = wordsOf(name);
    if (words.length > 0) return this.choices.from(words);
    const image = /^`([^`]+)`$/.exec(LABEL)?.[1];
    return image ?? this.choices.from(values[name] ?? names);
  }
}

function isOfTheLanguage(node: IProduction): boolean {
  if (node instanceof NonTerminal) return !skipping.test(node.nonTerminalName);
  if (node instanceof Terminal) return true;
  const [first] = (node as unknown as { definition: IProduction[] }).definition;
  return first === undefined || isOfTheLanguage(first);
}
