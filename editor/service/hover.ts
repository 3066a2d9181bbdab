/** What stands at a place: what the word means, what it is on this machine, and where the kernel says so. */
import { blockAt, tokenAt } from '../../grammar/cursor.ts';
import { type KeywordText, keywords } from '../../grammar/keywords.ts';
import { lineIndex, positionAt } from '../../grammar/lines.ts';
import type { Span } from '../../grammar/span.ts';
import { addressPattern, identityPattern } from '../../grammar/values.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { isOwnPath, textAt } from '../../src/machine/configuration.ts';
import { isVfioDriver } from '../../src/machine/drivers.ts';
import type { PciFunction, Snapshot } from '../../src/machine/snapshot.ts';
import { isUnknown, known } from '../../src/machine/snapshot.ts';
import { topologyOf } from '../../src/machine/topology.ts';
import { classPrefix } from '../../src/policy/classes.ts';
import { fullAddress } from '../../src/policy/criteria.ts';
import { describeFunction } from '../../src/policy/describe.ts';
import { factsOf, policiesFor, snapshotsFor } from './machine.ts';
import { code, escaped } from './markdown.ts';
import { capabilityParagraphs, fileMeaning, valueParagraphs } from './meanings.ts';
import { nameAt } from './names.ts';
import type { Sighting } from './occurrences.ts';
import { testParagraphs } from './tested.ts';
import type { Meaning, Spot, Workspace } from './workspace.ts';

export interface Hover {
  readonly span: Span;
  /** CommonMark, a paragraph each; text of policies and machines is escaped. */
  readonly paragraphs: readonly string[];
}

/** A list that is longer is cut: a hover is for a glance. */
const shownLimit = 8;

export function hoverAt(workspace: Workspace, meaning: Meaning | undefined, spot: Spot): Hover | undefined {
  const reading = workspace.readings.get(spot.file);
  const block = reading && blockAt(reading.blocks, spot.offset);
  if (reading === undefined || block === undefined) return undefined;
  const text = reading.text.slice(block.start, block.start + block.block.length);
  const token = tokenAt(text, spot.offset - block.start);
  if (token === undefined) return undefined;
  const start = block.start + token.startOffset;
  const span = { start, end: start + token.image.length };
  const name = nameAt(workspace, spot);
  const paragraphs =
    name === undefined
      ? wordParagraphs(
          workspace,
          meaning,
          token.image,
          around(
            workspace,
            spot,
            text.slice(0, token.startOffset),
            text.slice(token.startOffset + token.image.length),
          ),
        )
      : nameParagraphs(workspace, meaning, name);
  const all = [
    ...testParagraphs(workspace, meaning, spot),
    ...paragraphs,
    ...stepsOf(reading.text, meaning, spot, token.image),
    ...citations(meaning, spot),
  ];
  return all.length === 0 ? undefined : { span, paragraphs: all };
}

/** Where a word stands. */
interface Around {
  /** The host that the declaration is about. */
  readonly on: string;
  readonly inHost: boolean;
  /** After `to` and `driver` a driver is named. */
  readonly asDriver: boolean;
  /** The text of its block before and after it. */
  readonly before: string;
  readonly after: string;
}

function around({ readings }: Workspace, { file, offset }: Spot, before: string, after: string): Around {
  const asDriver = /\b(?:to|driver)\s+$/.test(before);
  for (const { base, node } of readings.get(file)?.document.declarations ?? []) {
    if (base + node.span.start > offset || offset > base + node.span.end) continue;
    if (node.kind === 'host') return { on: node.name.text, inHost: true, asDriver, before, after };
    if ('on' in node && node.on !== undefined)
      return { on: node.on.text, inHost: false, asDriver, before, after };
  }
  return { on: '*', inHost: false, asDriver, before, after };
}

function wordParagraphs(
  workspace: Workspace,
  meaning: Meaning | undefined,
  image: string,
  { on, inHost, asDriver, before, after }: Around,
): readonly string[] {
  const facts = inHost ? hostFacts(workspace, meaning, image, on) : [];
  if (Object.hasOwn(keywords, image)) {
    return [`**${image}**: ${keywords[image as KeywordText].meaning}`, ...facts];
  }
  if (facts.length > 0) return facts;
  const word = image.replace(/^"|"$/g, '');
  if (asDriver && !/^\d+$/.test(word)) return driverParagraphs(workspace, meaning, word, on);
  if (isOwnPath(word)) return fileParagraphs(workspace, meaning, word, on);
  const value = valueParagraphs(word, before, after);
  if (value.length > 0) return value;
  const isMeant = functionsMeant(word);
  if (isMeant === undefined) return [];
  return [...snapshotsFor(workspace, meaning, on)].flatMap(([host, snapshot]) => {
    const found = snapshot.functions.filter(isMeant);
    if (found.length === 0) return [`On ${code(host)}: no function`];
    return [`On ${code(host)}: ${listed(found.map((fn) => oneOf(snapshot, fn, found.length)))}`];
  });
}

/** What the machine has of that which a statement of its host is about. */
function hostFacts(
  workspace: Workspace,
  meaning: Meaning | undefined,
  image: string,
  on: string,
): readonly string[] {
  const say = ['iommu', 'required', 'absent'].includes(image)
    ? translation
    : image === 'kernel' || /^\d+(\.\d+)+$/.test(image)
      ? release
      : undefined;
  if (say === undefined) return [];
  return [...snapshotsFor(workspace, meaning, on)]
    .slice(0, shownLimit)
    .map(([host, snapshot]) => `On ${code(host)}: ${say(snapshot)}`);
}

function translation({ iommu }: Snapshot): string {
  const units = known(iommu.units, undefined);
  if (units === undefined) return 'IOMMU not known';
  return units.length === 0 ? 'no IOMMU' : `an IOMMU (${units.map(code).join(', ')})`;
}

function release({ kernel }: Snapshot): string {
  return `Linux ${escaped(known(kernel.release, 'of unknown release'))}`;
}

/** Whether the driver is there, and which functions have it. */
function driverParagraphs(
  workspace: Workspace,
  meaning: Meaning | undefined,
  word: string,
  on: string,
): readonly string[] {
  const what = isVfioDriver(word) ? ': hands its functions to user space through VFIO' : '';
  const machines = [...snapshotsFor(workspace, meaning, on)].slice(0, shownLimit);
  return [
    `**driver** ${code(word)}${what}`,
    ...machines.map(([host, snapshot]) => {
      const registered = known(snapshot.drivers, undefined);
      const there =
        registered === undefined
          ? 'whether it is registered is not known'
          : registered.includes(word)
            ? 'registered'
            : 'not registered';
      const mine = snapshot.functions.filter(({ driver }) => known(driver, null) === word);
      const its = mine.length === 0 ? 'no function' : listed(mine.map((fn) => escaped(describeFunction(fn))));
      return `On ${code(host)}: ${there}, bound to ${its}`;
    }),
  ];
}

/** What is written to a configuration file, and whether there is one already. */
function fileParagraphs(
  workspace: Workspace,
  meaning: Meaning | undefined,
  path: string,
  on: string,
): readonly string[] {
  const machines = [...snapshotsFor(workspace, meaning, on)].slice(0, shownLimit);
  return [
    `**file** ${code(path)}: ${fileMeaning(path)}`,
    ...machines.map(([host, snapshot]) => {
      const text = textAt(snapshot, path);
      if (isUnknown(text)) return `On ${code(host)}: not known: ${escaped(text.unknown)}`;
      const lines = text === null ? [] : text.trimEnd().split('\n');
      const there = lines.slice(0, shownLimit).map((line) => `\n- ${code(line)}`);
      return `On ${code(host)}: ${text === null ? 'there is none' : `it says${there.join('')}`}`;
    }),
    ...(meaning?.plans ?? []).flatMap(({ host, steps }) => {
      const [writes] = steps.filter(
        ({ operation }) => operation.op === 'config.write' && operation.path === path,
      );
      return writes === undefined
        ? []
        : [`In the plan: ${code(host)} step ${writes.number}: ${escaped(writes.sentence)}`];
    }),
  ];
}

/** What a word chooses among the functions of a machine, if it is one that does. */
function functionsMeant(word: string): ((fn: PciFunction) => boolean) | undefined {
  const lower = word.toLowerCase();
  if (addressPattern.test(word)) return ({ address }) => address === fullAddress(lower);
  if (identityPattern.test(word))
    return (fn) =>
      lower === `${fn.vendor}:${fn.device}` ||
      lower === `${known(fn.subsystemVendor, '')}:${known(fn.subsystemDevice, '')}`;
  const prefix = /[.a-z]/.test(word) ? classPrefix(word) : undefined;
  return prefix === undefined ? undefined : (fn) => fn.class.startsWith(prefix);
}

function oneOf(snapshot: Snapshot, fn: PciFunction, of: number): string {
  return escaped(of === 1 ? factsOf(snapshot, fn).join('; ') : describeFunction(fn));
}

function listed(lines: readonly string[]): string {
  if (lines.length === 1) return lines[0] ?? '';
  const shown = lines.slice(0, shownLimit).map((line) => `\n- ${line}`);
  const more = lines.length > shownLimit ? `\n- and ${lines.length - shownLimit} more` : '';
  return `${lines.length} functions${shown.join('')}${more}`;
}

function nameParagraphs(
  workspace: Workspace,
  meaning: Meaning | undefined,
  name: Sighting,
): readonly string[] {
  const title = `**${name.kind}** ${code(name.text)}`;
  switch (name.kind) {
    case 'device':
      return [title, ...deviceParagraphs(meaning, name)];
    case 'host':
      return [title, ...hostParagraphs(meaning, name)];
    case 'label':
      return [title, ...labelParagraphs(meaning, name)];
    case 'user':
    case 'group':
      return [title, ...principalParagraphs(workspace, meaning, name)];
    case 'service':
    case 'vm':
    case 'container':
      return [`${title}: ${keywords[name.kind].meaning}`, ...accessParagraphs(meaning, name)];
    case 'capability':
      return [title, ...capabilityParagraphs(name.text)];
    default:
      return [title];
  }
}

function deviceParagraphs(meaning: Meaning | undefined, { text, on }: Sighting): readonly string[] {
  return policiesFor(meaning, on).flatMap(({ host, snapshot, devices, arriving }) => {
    const device = devices.get(text);
    if (device === undefined) return [];
    const { functions } = topologyOf(snapshot);
    const coming = new Map(arriving.map((fn) => [fn.address, fn]));
    const lines = device.functions.flatMap((address) => {
      const fn = functions.get(address) ?? coming.get(address);
      return fn === undefined ? [] : [oneOf(snapshot, fn, device.functions.length)];
    });
    const nodes = (meaning?.plans ?? [])
      .filter((plan) => plan.host === host)
      .flatMap((plan) => plan.access.filter((access) => access.device === text))
      .map(({ who, path, nodes }) => `${escaped(who)} uses it via ${path}: ${nodes.map(code).join(', ')}`);
    return [`On ${code(host)}: ${lines.length === 0 ? 'no function' : listed(lines)}`, ...nodes];
  });
}

function hostParagraphs(meaning: Meaning | undefined, { text }: Sighting): readonly string[] {
  return policiesFor(meaning, text)
    .slice(0, shownLimit)
    .map(({ host, snapshot }) => {
      return `On ${code(host)}: ${release(snapshot)}, ${translation(snapshot)}, ${snapshot.functions.length} functions`;
    });
}

function labelParagraphs(meaning: Meaning | undefined, { text, on }: Sighting): readonly string[] {
  return policiesFor(meaning, on).flatMap(({ host, labels }) => {
    const value = labels.get(text);
    return value === undefined ? [] : [`On ${code(host)}: ${code(value)}`];
  });
}

function principalParagraphs(
  workspace: Workspace,
  meaning: Meaning | undefined,
  name: Sighting,
): readonly string[] {
  const facts = [...snapshotsFor(workspace, meaning, name.on)].map(([host, snapshot]) => {
    const all = name.kind === 'user' ? snapshot.users : snapshot.userGroups;
    if ('unknown' in all) return `On ${code(host)}: not known: ${escaped(all.unknown)}`;
    const one = all.find((each) => each.name === name.text);
    if (one === undefined) return `On ${code(host)}: there is none`;
    return `On ${code(host)}: ${'uid' in one ? `uid ${one.uid}` : `gid ${one.gid}`}`;
  });
  return [...facts, ...accessParagraphs(meaning, name)];
}

function accessParagraphs(meaning: Meaning | undefined, { kind, text }: Sighting): readonly string[] {
  const mine = (meaning?.plans ?? []).flatMap(({ host, access }) =>
    access
      .filter(({ who }) => who === `${kind} ${text}`)
      .map(
        ({ device, path, needs }) =>
          `On ${code(host)}: uses ${code(device)} via ${path}${needs.length === 0 ? '' : `; needs ${escaped(needs.join(', '))}`}`,
      ),
  );
  return mine.slice(0, shownLimit);
}

/** The steps of the plans that the statement there wants: told where its first word stands. */
function stepsOf(
  text: string,
  meaning: Meaning | undefined,
  { file, offset }: Spot,
  image: string,
): readonly string[] {
  if (!Object.hasOwn(keywords, image) || meaning === undefined) return [];
  const { line } = positionAt(lineIndex(text), offset);
  const lines = meaning.plans.flatMap(({ host, steps }) =>
    steps
      .filter(({ why }) =>
        why.some((place) => place.file === file && place.line === line && place.text.startsWith(image)),
      )
      .map(({ number, sentence }) => `\n- ${code(host)} step ${number}: ${escaped(sentence)}`),
  );
  if (lines.length === 0) return [];
  const more = lines.length > shownLimit ? `\n- and ${lines.length - shownLimit} more` : '';
  return [`In the plan:${lines.slice(0, shownLimit).join('')}${more}`];
}

/** What a real kernel would say to what is refused there, and where that is written. */
function citations(meaning: Meaning | undefined, { file, offset }: Spot): readonly string[] {
  const here = ({ place }: Diagnostic) =>
    place.file === file && place.span.start <= offset && offset <= place.span.end;
  return (meaning?.diagnostics ?? [])
    .filter(here)
    .flatMap(({ kernel }) =>
      kernel === undefined
        ? []
        : [`Linux answers ${code(kernel.errno)}: ${escaped(kernel.guard)} (${code(kernel.citation)})`],
    );
}
