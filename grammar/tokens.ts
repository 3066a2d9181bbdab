/**
 * The vocabulary: every word and mark of the language as a token. The lexer, the parser, the highlighters, the hover
 * texts and the suggestions for misspelt words are all made from it and from `keywords.ts`.
 *
 * A name in the text is an ordinary `Word`. What a word may stand for is a *role*: an abstract token such as
 * `DeviceName`, whose members are words, strings and those keywords that cannot be mistaken there. So an error says
 * "a device's name", the completion knows what to offer, and `test` may still be the name of a user.
 */
import { Lexer, type TokenType } from 'chevrotain';
import { type Context, type Keyword, type KeywordText, keywords } from './keywords.ts';

const entries = Object.entries(keywords) as [KeywordText, Keyword][];

/** What may stand in a place: a role's members are words and strings, and for names keywords too. */
interface RoleRule {
  readonly label: string;
  /** Keywords that begin a statement in these blocks are shut out: there, the name is missing. Absent: all are. */
  readonly outside?: readonly Context[];
}

const roleRules = {
  HostName: { label: "a host's name", outside: ['host', 'device', 'policy', 'test'] },
  PolicyName: { label: "a policy's name", outside: ['policy', 'test'] },
  DeviceName: { label: "a device's name", outside: ['device', 'policy'] },
  ExpectedDevice: { label: "a device's name", outside: ['device', 'policy', 'test', 'expectation'] },
  DriverName: { label: "a driver's name, `vfio`, `none` or `default`", outside: ['policy', 'test'] },
  PrincipalName: { label: "the principal's name", outside: ['policy', 'test'] },
  LabelName: { label: "a label's name", outside: ['host', 'policy'] },
  Property: { label: "the property's value", outside: ['device'] },
  Capability: { label: 'a capability, such as `CAP_SYS_RAWIO`' },
  LabelValue: { label: "the label's value in quotes" },
  File: { label: 'a file name in quotes' },
  WrittenFile: { label: 'a file that plans write, in quotes' },
  Said: { label: 'what the file says, in quotes' },
  Version: { label: 'a kernel version, such as `6.1`' },
  ResetMethod: { label: 'a way to reset it, such as `flr`' },
  TestName: { label: "the test's name in quotes" },
  Errno: { label: 'an errno, such as `EACCES`' },
  Code: { label: 'the code of a diagnostic, such as `VP4101`' },
  IoAddress: { label: 'an I/O address, such as `0x0`' },
  Reason: { label: 'a text in quotes' },
  Unit: { label: 'a unit of memory, such as `MiB`' },
  TimeUnit: { label: 'a unit of time, such as `s`' },
  Amount: { label: 'a number' },
} as const satisfies Record<string, RoleRule>;

type Role = keyof typeof roleRules;

const memberships = new Map<TokenType, readonly TokenType[]>();

/** Plain objects: the lexer and the parser complete them all at once, where `createToken` takes half the start. */
function abstract(name: string, label: string, categories: readonly TokenType[] = []): TokenType {
  return concrete(name, label, Lexer.NA, categories);
}

function concrete(
  name: string,
  label: string,
  pattern: RegExp | string,
  categories: readonly TokenType[],
): TokenType {
  const token = { name, LABEL: label, PATTERN: pattern };
  memberships.set(token, categories);
  return token;
}

/** The abstract tokens that a token stands for, too. */
export function categoriesOf(token: TokenType): readonly TokenType[] {
  return memberships.get(token) ?? [];
}

/**
 * Tells Chevrotain which tokens stand for which, once the lexer has numbered them. It would find out by itself from
 * `CATEGORIES`, twice, by way of lists of lists: with two thousand memberships a third of the time that a start takes.
 */
export function completeCategories(): void {
  for (const [{ tokenTypeIdx }, categories] of memberships) {
    for (const category of categories) {
      if (tokenTypeIdx === undefined || category.categoryMatchesMap === undefined) {
        throw new Error(`the lexer did not number ${category.name}`);
      }
      category.categoryMatchesMap[tokenTypeIdx] = true;
      category.categoryMatches?.push(tokenTypeIdx);
      category.isParent = true;
    }
  }
}

function mapValues<K extends string, V>(keys: readonly K[], make: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, V>;
}

export const roles = mapValues(Object.keys(roleRules) as Role[], (role) =>
  abstract(role, roleRules[role].label),
);

/** `RestOfPolicy`: what can be skipped in a policy's block without losing the next statement; and so on. */
export const restOf = mapValues(
  ['host', 'permission', 'device', 'policy', 'test', 'actor'] as const,
  (context) => abstract(`RestOf${context}`, 'the rest of the statement'),
);
export const AnyToken = abstract('AnyToken', 'anything');
export const PropertyWord = abstract('PropertyWord', 'a property, such as `id`');
export const PrincipalKind = abstract('PrincipalKind', '`user`, `group`, `service`, `vm` or `container`');
export const PathWord = abstract('PathWord', '`group`, `noiommu`, `iommufd` or `any`');
export const HoldingWord = abstract('HoldingWord', 'what it holds, such as `root`');
export const PresenceWord = abstract('PresenceWord', '`required`, `absent` or `any`');
export const PermissionWord = abstract('PermissionWord', '`allowed` or `forbidden`');
export const PermissionKey = abstract('PermissionKey', '`owner`, `reason` or `until`');
export const Relation = abstract('Relation', '`>=`, `<=`, `>`, `<` or `=`');

const groups: readonly (readonly [TokenType, readonly KeywordText[]])[] = [
  [PropertyWord, entries.filter(([, keyword]) => keyword.takes).map(([text]) => text)],
  [PrincipalKind, ['user', 'group', 'service', 'vm', 'container']],
  [PathWord, ['group', 'noiommu', 'iommufd', 'any']],
  [HoldingWord, ['root', 'boot', 'swap', 'management', 'mounted', 'stacked', 'signed', 'any']],
  [PresenceWord, ['required', 'absent', 'any']],
  [PermissionWord, ['allowed', 'forbidden']],
  [PermissionKey, ['owner', 'reason', 'until']],
];

const everyRest = Object.values(restOf);
const everyRole = Object.values(roles);

function categoriesOfKeyword(text: KeywordText, keyword: Keyword): TokenType[] {
  const begins: readonly Context[] = keyword.begins ?? [];
  const mayBe = (role: Role) => {
    const { outside }: RoleRule = roleRules[role];
    return outside !== undefined && !keyword.joins && !outside.some((context) => begins.includes(context));
  };
  return [
    AnyToken,
    ...(Object.keys(roles) as Role[]).filter(mayBe).map((role) => roles[role]),
    ...(Object.keys(restOf) as (keyof typeof restOf)[])
      .filter((c) => !begins.includes(c))
      .map((c) => restOf[c]),
    ...groups.filter(([, members]) => members.includes(text)).map(([group]) => group),
  ];
}

/** `k.bind` is the token of the keyword `bind`. They are found by the lexer among the words, not by their patterns. */
export const k = mapValues(
  entries.map(([text]) => text),
  (text) => abstract(`"${text}"`, `\`${text}\``, categoriesOfKeyword(text, keywords[text])),
);

/** The names of rules that only skip: they say how broken text is read, not what the language is. */
export const skippingRule = /^(?:unknown|rest|skipped)/;

const letters = String.raw`\u00c0-\u061b\u061d-\u167f\u1681-\u180d\u180f-\u1fff\u3040-\ud7ff\uf900-\ufdff`;
const others = String.raw`\x00-\x08\x0e-\x1f!$%&'+\-./:;?@[\\\]^${'`'}|~\x7f-\x9f\xa1-\xbf\u061c\u1680\u180e\u2000-\u2027\u202a-\u303f\ud800-\uf8ff\ufe00-\ufefe\uff00-\uffff`;

/**
 * Names, addresses, ids, dates, versions and numbers. Letters of every script are taken in, so that a wrong name is
 * one word with one message; which letters a name may have is decided later. Two dots are a range, never in a word.
 */
export const wordPattern = new RegExp(`[A-Za-z0-9_*${letters}](?:[A-Za-z0-9_*:+@/${letters}-]|\\.(?!\\.))*`);
/** A string ends at the latest with its line, so that a forgotten quote costs one line. */
export const stringPattern = /"(?:[^"\\\r\n]|\\[^\r\n])*"/;
const unclosedPattern = /"(?:[^"\\\r\n]|\\[^\r\n])*\\?/;
export const commentPattern = /#[^\r\n]*/;

const ordinary = [AnyToken, ...everyRest, ...everyRole];
export const Word = concrete('Word', 'a name', wordPattern, ordinary);
export const Text = concrete('Text', 'a text in quotes', stringPattern, ordinary);
export const UnclosedText = concrete('UnclosedText', 'a text in quotes', unclosedPattern, ordinary);

const inRest = [AnyToken, ...everyRest];
function mark(name: string, image: string, meaning: string, categories: TokenType[] = inRest): TokenType {
  marks.push({ image, meaning });
  return concrete(name, `\`${image}\``, image, categories);
}

/** The marks with their meanings, in the order of the lexer. */
export const marks: { readonly image: string; readonly meaning: string }[] = [];
export const LBrace = mark('LBrace', '{', 'begins a block', []);
export const RBrace = mark('RBrace', '}', 'ends a block', []);
const notInDevice = inRest.filter((token) => token !== restOf.device);
export const LParen = mark('LParen', '(', 'begins properties that must all hold', notInDevice);
export const RParen = mark('RParen', ')', 'ends properties that must all hold');
export const Comma = mark('Comma', ',', 'separates the members of a list');
export const Arrow = mark('Arrow', '->', 'what the call answers');
export const Range = mark('Range', '..', 'from one number to another, both included');
const relations = [Relation, ...inRest];
const relationTokens = [
  mark('AtLeast', '>=', 'this version or a later one', relations),
  mark('AtMost', '<=', 'this version or an earlier one', relations),
  mark('Later', '>', 'a later version', relations),
  mark('Earlier', '<', 'an earlier version', relations),
  mark('Equal', '=', 'exactly this version', relations),
];

const Space: TokenType = {
  name: 'Space',
  PATTERN: /[ \t\r\n\f\v\u00a0\u2028\u2029\ufeff]+/,
  GROUP: Lexer.SKIPPED,
};
const Comment: TokenType = { name: 'Comment', PATTERN: commentPattern, GROUP: 'comments' };
/** Whatever nothing else matches; kept apart, so that the parser reads on as if it were not there. */
const Unexpected: TokenType = { name: 'Unexpected', PATTERN: new RegExp(`[${others}]`), GROUP: 'unexpected' };

/** What the lexer matches, in its order. */
const lexed: TokenType[] = [
  Space,
  Comment,
  Word,
  Text,
  UnclosedText,
  LBrace,
  RBrace,
  LParen,
  RParen,
  Comma,
  Arrow,
  Range,
  ...relationTokens,
  Unexpected,
];

/** Every token: first those that the lexer matches, in its order, then those that the parser's rules name. */
export const vocabulary: TokenType[] = [
  ...lexed,
  ...Object.values(k),
  ...everyRole,
  ...everyRest,
  ...groups.map(([group]) => group),
  Relation,
  AnyToken,
];

/** The keywords that begin a statement in a block. */
export function beginnersOf(context: Context): readonly KeywordText[] {
  return entries.filter(([, keyword]) => keyword.begins?.includes(context)).map(([text]) => text);
}

const labels: ReadonlyMap<string, string> = new Map(
  vocabulary.map((token) => [token.name, token.LABEL ?? token.name]),
);

/** The keywords that a token, or a group of them, stands for; none for names and marks. */
export function wordsOf(tokenName: string): readonly string[] {
  if (tokenName.startsWith('"')) return [tokenName.slice(1, -1)];
  return groups.find(([group]) => group.name === tokenName)?.[1] ?? [];
}

/** How a person reads the name of a token. */
export function labelOf(tokenName: string): string {
  return labels.get(tokenName) ?? tokenName;
}
