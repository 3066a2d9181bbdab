import {
  Alternation,
  type IProduction,
  type IToken,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatory,
  Terminal,
  type TokenType,
} from 'chevrotain';
import { lex } from '../../grammar/lexer.ts';
import { parser } from '../../grammar/parser.ts';
import { categoriesOf, skippingRule } from '../../grammar/tokens.ts';

type Choice = 'taken' | 'left out';
type Group = IProduction & { readonly definition: IProduction[] };

/**
 * Which choices of the grammar a text takes: it reads sound text by the rules, as the parser does, one token ahead. A
 * choice is named by its rule and what stands there. Options and lists are both taken and left out; blocks have statements.
 */
export class Exercised {
  readonly #rules = parser.getGAstProductions();
  readonly #tokens: readonly IToken[];
  readonly #seen = new Set<string>();
  readonly #firsts = new Map<IProduction, ReadonlySet<number>>();
  #next = 0;
  #rule = '';

  constructor(text: string) {
    this.#tokens = lex(text).tokens;
    while (this.#next < this.#tokens.length) this.#callRule('declaration');
  }

  /** Choices that the grammar has and the text does not take. */
  missing(): readonly string[] {
    return Object.values(this.#rules)
      .filter(({ name }) => !skippingRule.test(name))
      .flatMap(({ name, definition }) => this.#choices(name, definition))
      .filter((choice) => !this.#seen.has(choice));
  }

  #choices(rule: string, definition: readonly IProduction[]): string[] {
    return definition.flatMap((node) => {
      if (node instanceof NonTerminal || node instanceof Terminal) return [];
      const within = (node as Group).definition.filter((each) => !skips(each));
      if (within.length === 0) return [];
      const own =
        node instanceof Alternation
          ? within.map((each) => `${rule}: ${textOf(each)}`)
          : choicesOf(node).map((choice) => `${rule}: ${textOf(node)} ${choice}`);
      return [...own, ...this.#choices(rule, within)];
    });
  }

  #callRule(name: string): void {
    const outer = this.#rule;
    this.#rule = name;
    for (const node of this.#rules[name]?.definition ?? []) this.#read(node);
    this.#rule = outer;
  }

  #read(node: IProduction): void {
    if (node instanceof NonTerminal) this.#callRule(node.nonTerminalName);
    else if (node instanceof Terminal) this.#consume(node.terminalType);
    else if (node instanceof Alternation) {
      const taken = (node.definition as Group[]).find((each) => !skips(each) && this.#begins(each));
      if (taken === undefined) throw new Error(`${this.#rule}: no alternative for ${this.#image()}`);
      this.#seen.add(`${this.#rule}: ${textOf(taken)}`);
      this.#read(taken);
    } else if (node instanceof Option || node instanceof Repetition || node instanceof RepetitionMandatory)
      this.#repeat(node);
    else for (const each of (node as Group).definition) this.#read(each);
  }

  #repeat(node: Option | Repetition | RepetitionMandatory): void {
    const limit = node instanceof Option ? 1 : Number.POSITIVE_INFINITY;
    let count = 0;
    while (count < limit && this.#next < this.#tokens.length && this.#begins(node as unknown as Group)) {
      for (const each of node.definition) this.#read(each);
      count += 1;
    }
    const choice: Choice = count === 0 ? 'left out' : 'taken';
    this.#seen.add(`${this.#rule}: ${textOf(node)} ${choice}`);
  }

  #consume(type: TokenType): void {
    const token = this.#tokens[this.#next];
    if (token === undefined || !is(token, type))
      throw new Error(`${this.#rule}: ${type.name} expected, found ${this.#image()}`);
    this.#next += 1;
  }

  #image(): string {
    return this.#tokens[this.#next]?.image ?? 'the end';
  }

  #begins(node: Group): boolean {
    const token = this.#tokens[this.#next];
    const first = this.#first(node);
    if (token === undefined) return false;
    return (
      first.has(token.tokenTypeIdx) ||
      categoriesOf(token.tokenType).some((each) => first.has(each.tokenTypeIdx ?? -1))
    );
  }

  #first(node: IProduction): ReadonlySet<number> {
    const known = this.#firsts.get(node);
    if (known !== undefined) return known;
    const found = new Set<number>();
    this.#collect([node], found);
    this.#firsts.set(node, found);
    return found;
  }

  /** Adds what may come first; true when all of it may be left out. */
  #collect(definition: readonly IProduction[], found: Set<number>): boolean {
    for (const node of definition) {
      if (!this.#collectOne(node, found)) return false;
    }
    return true;
  }

  #collectOne(node: IProduction, found: Set<number>): boolean {
    if (node instanceof Terminal) {
      found.add(node.terminalType.tokenTypeIdx ?? -1);
      return false;
    }
    if (node instanceof NonTerminal)
      return this.#collect(this.#rules[node.nonTerminalName]?.definition ?? [], found);
    const { definition } = node as Group;
    if (node instanceof Alternation)
      return definition
        .filter((each) => !skips(each))
        .map((each) => this.#collectOne(each, found))
        .some(Boolean);
    return this.#collect(definition, found) || node instanceof Option || node instanceof Repetition;
  }
}

function choicesOf(node: IProduction): readonly Choice[] {
  if (node instanceof RepetitionMandatory) return ['taken'];
  if (!(node instanceof Option || node instanceof Repetition)) return [];
  const [first] = node.definition;
  return node instanceof Repetition && first instanceof NonTerminal ? ['taken'] : ['taken', 'left out'];
}

function is(token: IToken, type: TokenType): boolean {
  return token.tokenTypeIdx === type.tokenTypeIdx || categoriesOf(token.tokenType).includes(type);
}

/** Whether it is there only to read broken text. */
function skips(node: IProduction): boolean {
  if (node instanceof NonTerminal) return skippingRule.test(node.nonTerminalName);
  if (node instanceof Terminal) return false;
  const [first] = (node as Group).definition;
  return first !== undefined && skips(first);
}

function textOf(node: IProduction): string {
  if (node instanceof Terminal) return node.terminalType.name;
  if (node instanceof NonTerminal) return node.nonTerminalName;
  return (node as Group).definition.map(textOf).join(node instanceof Alternation ? ' | ' : ' ');
}
