/**
 * The vocabulary: every word and mark of the language, each declared once, with what it means. The lexer, the parser,
 * the highlighters, the hover texts and the suggestions for misspelt words are all made from these tables.
 *
 * A name in the text is an ordinary `Word`. What a word may stand for is a *role*: an abstract token such as
 * `DeviceName`, whose members are words, strings and those keywords that cannot be mistaken there. So an error says
 * "a device's name", the completion knows what to offer, and `test` may still be the name of a user.
 */
import { Lexer, type TokenType } from 'chevrotain';

/** The kinds of block that a keyword can begin a statement in; `file` is the top level. */
export type Context = 'file' | 'host' | 'permission' | 'device' | 'policy';

export interface Keyword {
  readonly meaning: string;
  /** The blocks in which it begins a statement. */
  readonly begins?: readonly Context[];
  /** Where it begins a statement that the language has, but this version does not carry out yet. */
  readonly later?: readonly Context[];
  /** For a device's property: what must follow it, for messages. */
  readonly takes?: string;
  /** Joins the parts of a statement, and so cannot be a name without quotes. */
  readonly joins?: true;
  /** Joins too, but can be a name all the same. */
  readonly connects?: true;
}

export const keywords = {
  import: { begins: ['file'], meaning: 'reads another policy file' },
  host: { begins: ['file'], meaning: 'says what is known, expected or permitted about a machine' },
  device: { begins: ['file', 'device'], meaning: 'names one function of a machine; exactly one must match' },
  devices: { begins: ['file'], joins: true, meaning: 'names a set of functions of a machine' },
  policy: { begins: ['file'], meaning: 'says what shall be, who may, and what must never be' },
  test: { begins: ['file'], later: ['file'], meaning: 'runs on the simulated kernel' },

  snapshot: { begins: ['host'], meaning: 'the file that holds what was read from the machine' },
  iommu: { begins: ['host'], meaning: 'whether the machine has an IOMMU: required, absent or any' },
  kernel: { begins: ['host'], meaning: 'which Linux versions the machine may run' },
  label: {
    begins: ['host', 'device'],
    later: ['device'],
    meaning: 'a property of the host for policies to ask',
  },
  noiommu: { begins: ['host'], meaning: 'VFIO without an IOMMU: no isolation, and the kernel is tainted' },
  owner: { begins: ['permission'], meaning: 'who answers for the permission' },
  reason: { begins: ['permission'], meaning: 'why the permission is given' },
  until: { begins: ['permission'], meaning: 'the last day on which the permission holds' },
  allowed: { meaning: 'no-IOMMU mode may be used on this host' },
  forbidden: { meaning: 'no-IOMMU mode may never be used on this host' },
  required: { meaning: 'the host must have an IOMMU' },
  absent: { meaning: 'the host has no IOMMU' },

  at: { begins: ['device'], takes: 'a PCI address', meaning: 'the PCI address' },
  id: { begins: ['device'], takes: 'vendor:device', meaning: 'the vendor and device id' },
  subsystem: { begins: ['device'], takes: 'vendor:device', meaning: 'the subsystem vendor and device id' },
  class: { begins: ['device'], takes: 'a class', meaning: 'the PCI class, by name or number' },
  driver: { begins: ['device'], takes: "a driver's name", meaning: 'the driver bound now' },
  netdev: {
    begins: ['device'],
    takes: "a network interface's name",
    meaning: 'the network interface it carries',
  },
  block: { begins: ['device'], takes: "a block device's name", meaning: 'the block device it carries' },
  slot: { begins: ['device'], takes: 'a slot', meaning: 'the physical slot' },
  serial: { begins: ['device'], takes: 'a serial number', meaning: 'the device serial number' },
  mac: { begins: ['device'], takes: 'a MAC address', meaning: 'the MAC address of its network interface' },
  numa: { begins: ['device'], takes: 'a NUMA node', meaning: 'the NUMA node it is attached to' },
  holding: {
    begins: ['device'],
    meaning: 'what the host uses it for: root, boot, swap, management, …, or any',
  },
  not: { begins: ['device'], joins: true, meaning: 'the functions that do not match' },
  except: { begins: ['device'], joins: true, meaning: 'takes functions out of the set again' },
  count: { begins: ['device'], meaning: 'how many functions must match' },
  virtual: { begins: ['device'], later: ['device'], meaning: 'virtual functions of a physical one' },
  in: { begins: ['device'], later: ['device'], meaning: 'functions of the same IOMMU group' },
  dma: { begins: ['device'], later: ['device'], meaning: 'a claim that the device does no DMA' },

  bind: { begins: ['policy'], meaning: 'which driver the device shall have' },
  allow: { begins: ['policy'], meaning: 'who may use the device' },
  forbid: { begins: ['policy'], meaning: 'what must never be; it beats every `allow`' },
  protect: { begins: ['policy'], meaning: 'devices, with their group siblings, that no plan may touch' },
  require: { begins: ['policy'], meaning: 'what must hold in every state the plan passes through' },
  create: { begins: ['policy'], later: ['policy'], meaning: 'creates virtual functions' },
  limit: { begins: ['policy'], later: ['policy'], meaning: 'limits what a principal may have' },
  persist: { begins: ['policy'], later: ['policy'], meaning: 'keeps the arrangement across boots' },

  on: { joins: true, meaning: 'the host, or the hosts, that it is about' },
  or: { joins: true, meaning: 'either of two properties' },
  to: { joins: true, meaning: 'the driver, or what is permitted' },
  with: { joins: true, meaning: 'what comes along: the group, or capabilities' },
  via: { joins: true, meaning: 'the way: group, iommufd, noiommu or any' },
  any: { joins: true, meaning: 'every one; for a way, the safest that works' },
  unless: { joins: true, meaning: 'the hosts on which the statement does not hold' },
  anyone: { joins: true, meaning: 'every principal' },
  use: { connects: true, meaning: 'open the device and drive it' },
  its: { connects: true, meaning: 'the IOMMU group of the device' },
  is: { connects: true, meaning: "the label's value" },
  that: { connects: true, meaning: 'devices by what the host uses them for' },
  hold: { connects: true, meaning: 'devices by what the host uses them for' },
  unsafe: { meaning: 'interrupts that the IOMMU does not remap' },
  interrupts: { meaning: 'interrupts that the IOMMU does not remap' },
  isolated: { meaning: 'nothing else that the host uses shares its group' },
  resets: { later: ['policy'], meaning: 'how the device can be reset' },

  user: { meaning: 'a user of the machine' },
  group: { meaning: 'a group of users; for a way, the VFIO group with an IOMMU' },
  service: { meaning: 'a systemd service' },
  vm: { meaning: 'a virtual machine' },
  container: { meaning: 'a container' },
  iommufd: { meaning: 'the device node /dev/vfio/devices/vfioN with an iommufd' },
  vfio: { meaning: 'the best VFIO driver for the device' },
  none: { meaning: 'no driver' },
  default: { meaning: 'the driver that the kernel would choose' },

  root: { meaning: 'the root file system' },
  boot: { meaning: 'the boot file system' },
  swap: { meaning: 'swap space' },
  management: { meaning: 'the way by which the machine is reached' },
  mounted: { meaning: 'a mounted file system' },
  stacked: { meaning: 'a disk under dm, md or LVM' },
  signed: { meaning: 'a disk with a signature of a file system, a RAID or a partition table' },
} as const satisfies Record<string, Keyword>;

export type KeywordText = keyof typeof keywords;
const entries = Object.entries(keywords) as [KeywordText, Keyword][];

/** What may stand in a place: a role's members are words and strings, and for names keywords too. */
interface RoleRule {
  readonly label: string;
  /** Keywords that begin a statement in these blocks are shut out: there, the name is missing. Absent: all are. */
  readonly outside?: readonly Context[];
}

const roleRules = {
  HostName: { label: "a host's name", outside: ['host', 'device', 'policy'] },
  PolicyName: { label: "a policy's name", outside: ['policy'] },
  DeviceName: { label: "a device's name", outside: ['device', 'policy'] },
  DriverName: { label: "a driver's name, `vfio`, `none` or `default`", outside: ['policy'] },
  PrincipalName: { label: "the principal's name", outside: ['policy'] },
  LabelName: { label: "a label's name", outside: ['host', 'policy'] },
  Property: { label: "the property's value", outside: ['device'] },
  Capability: { label: 'a capability, such as `CAP_SYS_RAWIO`' },
  LabelValue: { label: "the label's value in quotes" },
  File: { label: 'a file name in quotes' },
  Version: { label: 'a kernel version, such as `6.1`' },
  Reason: { label: 'a text in quotes' },
  Amount: { label: 'a number' },
} as const satisfies Record<string, RoleRule>;

type Role = keyof typeof roleRules;

/** Plain objects: the lexer and the parser complete them all at once, where `createToken` takes half the start. */
function abstract(name: string, label: string, categories: TokenType[] = []): TokenType {
  return { name, LABEL: label, PATTERN: Lexer.NA, CATEGORIES: categories };
}

function concrete(name: string, label: string, pattern: RegExp | string, categories: TokenType[]): TokenType {
  return { name, LABEL: label, PATTERN: pattern, CATEGORIES: categories };
}

function mapValues<K extends string, V>(keys: readonly K[], make: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, V>;
}

export const roles = mapValues(Object.keys(roleRules) as Role[], (role) =>
  abstract(role, roleRules[role].label),
);

/** `RestOfPolicy`: what can be skipped in a policy's block without losing the next statement; and so on. */
export const restOf = mapValues(['host', 'permission', 'device', 'policy'] as const, (context) =>
  abstract(`RestOf${context}`, 'the rest of the statement'),
);
/** Keywords that begin a statement of a later version, by block. */
export const laterIn = mapValues(['device', 'policy'] as const, (context) =>
  abstract(`LaterIn${context}`, 'a statement of a later version'),
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

function categoriesOf(text: KeywordText, keyword: Keyword): TokenType[] {
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
    ...(Object.keys(laterIn) as (keyof typeof laterIn)[])
      .filter((context) => begins.includes(context) && keyword.later?.includes(context))
      .map((context) => laterIn[context]),
    ...groups.filter(([, members]) => members.includes(text)).map(([group]) => group),
  ];
}

/** `k.bind` is the token of the keyword `bind`. They are found by the lexer among the words, not by their patterns. */
export const k = mapValues(
  entries.map(([text]) => text),
  (text) => abstract(`"${text}"`, `\`${text}\``, categoriesOf(text, keywords[text])),
);

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
  ...Object.values(laterIn),
  ...groups.map(([group]) => group),
  Relation,
  AnyToken,
];

/** The keywords that begin a statement in a block, those of later versions included. */
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
