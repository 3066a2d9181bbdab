import { written } from '../../grammar/written.ts';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { insertionBefore, type Meant, nameMeant, replacement } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { type Address, isUnknown, known, type PciFunction } from '../machine/snapshot.ts';
import type { Count, DeviceDeclaration, Selector } from '../syntax/ast.ts';
import { placeOf } from '../syntax/places.ts';
import { classPrefix } from './classes.ts';
import { type Doubt, fullAddress, matches, type Scope, some, type Verdict } from './criteria.ts';
import { describeFunction, describeSelector, tellApart, valuesOf } from './describe.ts';
import type { Assumption } from './policy.ts';
import type { Sited } from './sources.ts';

/** What a device declaration chose on one machine. */
export interface Selection {
  /** `null`: it could not be resolved, and `diagnostics` says why (or the parser did). */
  readonly functions: readonly Address[] | null;
  readonly assumptions: readonly Assumption[];
  readonly diagnostics: readonly Diagnostic[];
}

interface Candidate {
  readonly fn: PciFunction;
  readonly doubts: readonly Doubt[];
}

/**
 * Matches a declaration against a machine. A function whose match rests on an unknown fact is a candidate like the
 * others: for a set it is taken in, for a single device it stands when nothing else matches, and either way what it
 * rests on becomes an assumption. Two candidates for a single device are an error even if both are doubtful.
 */
export function select(sited: Sited<DeviceDeclaration>, host: string, scope: Scope): Selection {
  const { node } = sited;
  if ([...node.selectors, ...node.except].some((selector) => broken(selector, scope))) return failed([]);
  const place = placeOf(sited, node.name);
  const candidates: Candidate[] = [];
  for (const fn of reachable(node, scope)) {
    const verdict = judge(node, fn, scope);
    if (verdict !== false) candidates.push({ fn, doubts: verdict === true ? [] : verdict });
  }
  // What no physical function can have was told where it was to have them.
  if (candidates.length === 0 && physicalOf(node, scope).some((address) => scope.barren.has(address)))
    return failed([]);
  const problem = node.plural
    ? wrongCount(sited, host, candidates, scope)
    : notExactlyOne(sited, host, candidates, scope);
  if (problem) return failed([problem]);
  return {
    functions: candidates.map(({ fn }) => fn.address),
    assumptions: candidates.flatMap(({ doubts }) => doubts.map((doubt) => assumption(doubt, place))),
    diagnostics: [...everything(sited, host, candidates.length), ...beyond(sited, host, scope)],
  };
}

/** A set that asks nothing is mostly one that nobody has finished; a count says that it is meant. */
function everything(sited: Sited<DeviceDeclaration>, host: string, count: number): readonly Diagnostic[] {
  const { node } = sited;
  if (!node.plural || node.count !== undefined || node.selectors.length + node.except.length > 0) return [];
  const cures = [
    'say which are meant: `class`, `driver`, `slot` …, or which are not: `except …`',
    `if all are meant, say how many there are: \`count ${count}\``,
  ];
  const holes = { name: node.name.text, count, host };
  return [report('VP2106', placeOf(sited, node.name), holes, { cures })];
}

/** Ranges whose ends no virtual function has: who names four of two has miscounted, or says how few may be there. */
function beyond(sited: Sited<DeviceDeclaration>, host: string, scope: Scope): readonly Diagnostic[] {
  const { node } = sited;
  if (node.count !== undefined) return [];
  return node.selectors.flatMap((selector) => {
    if (selector.kind !== 'virtual' || selector.range === undefined) return [];
    const { min, max } = selector.range;
    return (scope.device(selector.name.text) ?? []).flatMap((address) => {
      const count = virtualOf(address, scope);
      if (count === null || max < count) return [];
      const place = placeOf(sited, selector);
      const holes = { name: node.name.text, last: max, address, host, count };
      const cures = [
        `have more of them made: \`create ${max + 1} virtual functions on ${selector.name.text}\``,
        'name those that are there; a set that may have fewer says so: `count 0..N`',
      ];
      const less = describeSelector({ ...selector, range: { min, max: count - 1 } });
      const fixes = count > min ? [replacement(place, less)] : [];
      return [report('VP2105', place, holes, { cures, fixes })];
    });
  });
}

/** How many virtual functions a function has, or will have; null: nobody knows, or it was told that there are none. */
function virtualOf(address: Address, { functions, barren }: Scope): number | null {
  const sriov = functions.get(address)?.sriov;
  if (sriov === undefined || isUnknown(sriov) || barren.has(address)) return null;
  let count = 0;
  for (const { physicalFunction } of functions.values()) {
    if (isUnknown(physicalFunction)) return null;
    if (physicalFunction === address) count += 1;
  }
  return sriov !== null && count < sriov.numVfs ? null : count;
}

/** The functions of which virtual ones are chosen. */
function physicalOf({ selectors }: DeviceDeclaration, scope: Scope): readonly Address[] {
  return selectors.flatMap((each) => (each.kind === 'virtual' ? (scope.device(each.name.text) ?? []) : []));
}

/** Virtual functions are not there before somebody makes them. */
function creating(node: DeviceDeclaration, scope: Scope): string[] {
  const [selector] = node.selectors.filter((each) => each.kind === 'virtual');
  const without = physicalOf(node, scope).some((address) => {
    const sriov = known(scope.functions.get(address)?.sriov ?? null, null);
    return sriov !== null && sriov.numVfs === 0;
  });
  if (selector === undefined || !without) return [];
  const count = selector.range === undefined ? 'N' : selector.range.max + 1;
  return [
    `have them made, and enough of them: \`create ${count} virtual functions on ${selector.name.text}\``,
  ];
}

function failed(diagnostics: readonly Diagnostic[]): Selection {
  return { functions: null, assumptions: [], diagnostics };
}

function assumption({ fact, unknown, sentence, expects }: Doubt, place: Place): Assumption {
  return { fact, unknown, sentence, place, ...(expects ? { expects } : {}) };
}

/** What cannot be judged, because of something that has been reported where it stands. */
function broken(selector: Selector, scope: Scope): boolean {
  if (selector.kind === 'hole') return true;
  if (selector.kind === 'class') return classPrefix(selector.value.text) === undefined;
  if (selector.kind === 'and' || selector.kind === 'or') {
    return selector.operands.some((operand) => broken(operand, scope));
  }
  if ('name' in selector) return scope.device(selector.name.text) === null;
  return selector.kind === 'not' && broken(selector.operand, scope);
}

type AtSelector = Extract<Selector, { readonly value: unknown }>;

function addressOf(node: DeviceDeclaration): AtSelector | undefined {
  return node.selectors.find((selector): selector is AtSelector => selector.kind === 'at');
}

/** An address names one function: then the others need no look. */
function reachable(node: DeviceDeclaration, scope: Scope): Iterable<PciFunction> {
  const at = addressOf(node);
  if (!at) return scope.functions.values();
  const fn = scope.functions.get(fullAddress(at.value.text.toLowerCase()));
  return fn ? [fn] : [];
}

function judge(node: DeviceDeclaration, fn: PciFunction, scope: Scope): Verdict {
  const doubts: Doubt[] = [];
  for (const selector of node.selectors) {
    const verdict = matches(selector, fn, scope);
    if (verdict === false) return false;
    if (verdict !== true) doubts.push(...verdict);
  }
  const excepted = some(node.except, (selector) => matches(selector, fn, scope));
  if (excepted === true) return false;
  if (excepted !== false)
    doubts.push(...excepted.map(({ expects: _, ...doubt }) => ({ ...doubt, sentence: doubt.contrary })));
  return doubts.length === 0 || doubts;
}

function wrongCount(
  sited: Sited<DeviceDeclaration>,
  host: string,
  candidates: readonly Candidate[],
  scope: Scope,
): Diagnostic | undefined {
  const { node } = sited;
  const { count } = node;
  if (!count && candidates.length > 0) return undefined;
  if (count && candidates.length >= count.min && candidates.length <= count.max) return undefined;
  const { min, max } = count ?? { min: 1, max: Number.POSITIVE_INFINITY };
  const range =
    min === max ? `exactly ${min}` : max === Number.POSITIVE_INFINITY ? 'at least 1' : `${min} to ${max}`;
  const place = placeOf(sited, count ?? node.name);
  const few = candidates.length < min;
  return report(
    'VP2103',
    place,
    { name: node.name.text, host, count: candidates.length, range },
    {
      causes: few
        ? [...candidates.map(({ fn }) => describeFunction(fn)), ...nearMisses(node, scope)]
        : candidates.slice(0, 8).map(({ fn }) => describeFunction(fn)),
      cures: few ? [...creating(node, scope), widening(count)] : ['narrow the selectors, or raise the count'],
      fixes: count && candidates.length > 0 ? [replacement(place, countText(candidates.length, count))] : [],
    },
  );
}

function widening(count: Count | undefined): string {
  return count === undefined
    ? 'widen the selectors; a set that may be empty says so: `count 0..N`'
    : 'widen the selectors, or lower the count';
}

/** The count with its nearer end moved, so that what is there is right. */
function countText(found: number, { min, max }: Count): string {
  const [low, high] = [Math.min(min, found), Math.max(max, found)];
  if (min === max) return `count ${found}`;
  return low === high ? `count ${low}` : `count ${low}..${high}`;
}

function notExactlyOne(
  sited: Sited<DeviceDeclaration>,
  host: string,
  candidates: readonly Candidate[],
  scope: Scope,
): Diagnostic | undefined {
  const { node } = sited;
  if (candidates.length === 1) return undefined;
  if (candidates.length > 1) return ambiguous(sited, host, candidates, scope);
  const other = anotherIdentity(sited, host, scope);
  if (other) return other;
  const meant = valueMeant(sited, scope);
  return report(
    'VP2101',
    placeOf(sited, node.name),
    { name: node.name.text, host },
    {
      causes: nearMisses(node, scope),
      cures: [
        ...meant.cures,
        ...creating(node, scope),
        ...(node.selectors.length === 0
          ? ['say which function is meant: `at`, `id`, `class` …']
          : ['correct the selector that fails, or take a new snapshot if the machine has changed']),
      ],
      fixes: meant.fixes,
    },
  );
}

function ambiguous(
  sited: Sited<DeviceDeclaration>,
  host: string,
  candidates: readonly Candidate[],
  scope: Scope,
): Diagnostic {
  const functions = candidates.map(({ fn }) => fn);
  const { node } = sited;
  const [first] = node.selectors;
  const before = first && beginningOf(placeOf(sited, first));
  return report(
    'VP2102',
    placeOf(sited, node.name),
    { name: node.name.text, host, count: functions.length },
    {
      causes: [
        ...tellApart(functions.slice(0, 8), scope.snapshot),
        ...(functions.length > 8 ? [`and ${functions.length - 8} more`] : []),
        ...candidates.flatMap(({ doubts }) =>
          doubts.map((d) => `it is not known whether ${d.sentence}: ${d.unknown}`),
        ),
      ],
      cures: ['add what tells the one that you mean from the others', 'if all are meant, declare `devices`'],
      fixes: before
        ? functions.slice(0, 4).map(({ address }) => insertionBefore(before, `at ${address}`))
        : [],
    },
  );
}

function beginningOf({ file, span: { start } }: Place): Place {
  return { file, span: { start, end: start } };
}

const identity: ReadonlySet<Selector['kind']> = new Set([
  'id',
  'subsystem',
  'serial',
  'mac',
  'class',
  'label',
]);

/** `at` is right and what should be there is not: a card was swapped, or the bus was renumbered. */
function anotherIdentity(
  sited: Sited<DeviceDeclaration>,
  host: string,
  scope: Scope,
): Diagnostic | undefined {
  const { node } = sited;
  const at = addressOf(node);
  const fn = at && scope.functions.get(fullAddress(at.value.text.toLowerCase()));
  if (!fn) return undefined;
  const failing = node.selectors.filter((selector) => matches(selector, fn, scope) === false);
  const wrong = failing.find((selector) => identity.has(selector.kind));
  if (!wrong) return undefined;
  const elsewhere = [...scope.functions.values()].filter(
    (other) => other !== fn && node.selectors.every((s) => s === at || matches(s, other, scope) === true),
  );
  return report(
    'VP2104',
    placeOf(sited, wrong),
    { address: fn.address, host, name: node.name.text },
    {
      causes: [
        describeFunction(fn),
        ...failing.map((selector) => `it is not \`${describeSelector(selector)}\``),
        ...elsewhere.slice(0, 4).map((other) => `the device that is described sits at ${other.address}`),
      ],
      cures: [
        elsewhere.length === 1
          ? `write \`at ${elsewhere[0]?.address}\`, or leave \`at\` out and let the identity choose`
          : 'make sure which device is meant, then correct the address or the identity',
      ],
      fixes:
        elsewhere.length === 1 && at && elsewhere[0]
          ? [replacement(placeOf(sited, at.value), elsewhere[0].address)]
          : [],
    },
  );
}

/** What people name, and misspell; another number is another device. */
const named: ReadonlySet<Selector['kind']> = new Set(['driver', 'netdev', 'block', 'serial', 'label']);

/**
 * What a selector may mean that alone is in the way: the value that another function has, where it is written much
 * like it; where only one function has everything else, its value.
 */
function valueMeant(sited: Sited<DeviceDeclaration>, scope: Scope): Meant {
  const { node } = sited;
  for (const selector of node.selectors) {
    if (!('value' in selector)) continue;
    const others = node.selectors.filter((other) => other !== selector);
    const functions = [...scope.functions.values()].filter((fn) =>
      others.every((other) => matches(other, fn, scope) === true),
    );
    const values = new Set(functions.flatMap((fn) => valuesOf(selector.kind, fn, scope.snapshot)));
    const place = placeOf(sited, selector.value);
    const meant = nameMeant(place, selector.value.text, named.has(selector.kind) ? values : []);
    if (meant.fixes.length > 0) return meant;
    const [only, more] = values;
    if (others.length > 0 && only !== undefined && more === undefined)
      return { cures: [], fixes: [replacement(place, written(only))] };
  }
  return { cures: [], fixes: [] };
}

/** The functions that fail the fewest selectors, at most three, each with what fails. */
function nearMisses(node: DeviceDeclaration, scope: Scope): string[] {
  if (node.selectors.length === 0) return [];
  const at = addressOf(node);
  const atNothing = at && !scope.functions.has(fullAddress(at.value.text.toLowerCase()));
  const misses = [...scope.functions.values()].map((fn) => ({
    fn,
    failing: node.selectors.filter((selector) => matches(selector, fn, scope) === false),
    excepted: node.except.filter((selector) => matches(selector, fn, scope) === true),
  }));
  misses.sort((a, b) => a.failing.length - b.failing.length);
  const near = misses.filter(({ failing }) => failing.length < node.selectors.length).slice(0, 3);
  return [
    ...(atNothing ? [`there is no function at ${at.value.text}`] : []),
    ...near.map(({ fn, failing, excepted }) => {
      const but = failing.map((selector) => `not \`${describeSelector(selector)}\``);
      const out = excepted.map((selector) => `excepted by \`${describeSelector(selector)}\``);
      return `${describeFunction(fn)}; it is ${[...but, ...out].join(' and ')}`;
    }),
  ];
}
