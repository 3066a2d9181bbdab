/** What may be written at a place: words of the grammar, names of the policies, values of the machine. */
import { blockAt, type Cursor, cursorAt } from '../../grammar/cursor.ts';
import { keywords } from '../../grammar/keywords.ts';
import type { Span } from '../../grammar/span.ts';
import { wordsOf } from '../../grammar/tokens.ts';
import { inQuotes, written } from '../../grammar/written.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { applies } from '../../src/policy/pattern.ts';
import { writtenFiles } from '../../src/policy/tests.ts';
import { snapshotsFor } from './machine.ts';
import { fileMeaning } from './meanings.ts';
import { sightings } from './occurrences.ts';
import { type Value, valuesFor } from './values.ts';
import type { Meaning, Spot, Workspace } from './workspace.ts';

export interface Offer {
  readonly label: string;
  readonly kind: 'keyword' | 'name' | 'value';
  /** What it is, in a few words. */
  readonly detail: string;
  /** What replaces `span`. */
  readonly text: string;
  readonly span: Span;
}

/** The best first. `meaning`, of any earlier text, tells which machine is meant. */
export function complete(
  workspace: Workspace,
  meaning: Meaning | undefined,
  { file, offset }: Spot,
): readonly Offer[] {
  const reading = workspace.readings.get(file);
  if (reading === undefined) return [];
  const { text, blocks } = reading;
  const start = blockAt(blocks, offset)?.start ?? 0;
  const cursor = cursorAt(text.slice(start, offset), offset - start);
  if (cursor === undefined) return [];
  const { begun, quoted } = cursor;
  // The quote that an editor puts there of its own accord is a part of the word.
  const end = offset + Number(quoted && text[offset] === '"');
  const span = { start: start + begun.start, end };
  const on = hostOf(cursor);
  const snapshots = [...snapshotsFor(workspace, meaning, on).values()];
  const offers = new Map<string, Offer>();
  const add = (offer: Omit<Offer, 'span'>) => {
    if (!offers.has(offer.text)) offers.set(offer.text, { ...offer, span });
  };
  for (const { token } of cursor.expected) {
    for (const value of answersTo(token, cursor, workspace, snapshots, on)) {
      add({ ...value, text: value.quoted || quoted ? inQuotes(value.label) : written(value.label) });
    }
  }
  if (quoted) return [...offers.values()];
  for (const { token } of cursor.expected) {
    for (const word of [...wordsOf(token), ...(extraWords[token] ?? [])]) add(keywordOffer(word));
  }
  return [...offers.values()];
}

/** Keywords that may stand where a name may, and mean something of their own there. */
const extraWords: Readonly<Record<string, readonly string[]>> = {
  DeviceName: [],
  DriverName: ['vfio', 'none', 'default'],
};

function keywordOffer(word: string): Omit<Offer, 'span'> {
  const { meaning } = keywords[word as keyof typeof keywords];
  return { label: word, kind: 'keyword', detail: meaning, text: word };
}

/** The host that the declaration under way is about; `*` where it says none. */
function hostOf({ before }: Cursor): string {
  const brace = before.findIndex(({ image }) => image === '{');
  const head = brace < 0 ? before : before.slice(0, brace);
  const on = head.findIndex(({ image }) => image === 'on');
  return (on < 0 ? undefined : head[on + 1]?.image.replace(/^"|"$/g, '')) ?? '*';
}

function answersTo(
  token: string,
  cursor: Cursor,
  workspace: Workspace,
  snapshots: readonly Snapshot[],
  on: string,
): readonly Value[] {
  const last = cursor.before.at(-1)?.image ?? '';
  switch (token) {
    case 'DeviceName':
    case 'ExpectedDevice':
      return last === 'any' ? [] : declared(workspace, 'device', on);
    case 'HostName':
      return [
        ...declared(workspace, 'host', '*'),
        ...(last === 'host'
          ? workspace.machines.map(({ name }) => ({
              label: name,
              kind: 'value' as const,
              detail: 'a machine',
            }))
          : []),
      ];
    case 'PolicyName':
      return declared(workspace, 'policy', on);
    case 'LabelName':
      return declared(workspace, 'label', '*');
    case 'LabelValue':
      return labelValues(workspace, nameBefore(cursor));
    case 'PrincipalName':
      // Whom the machine has is told as such; the policies may speak of others, too.
      return [...valuesFor(last, snapshots), ...used(workspace, last)];
    case 'WrittenFile':
      return files(workspace);
    case 'Property':
      return valuesFor(last, snapshots);
    default:
      return valuesFor(token, snapshots);
  }
}

function declared(
  workspace: Workspace,
  kind: 'device' | 'host' | 'label' | 'policy',
  on: string,
): readonly Value[] {
  const names = new Map<string, Value>();
  for (const sighting of sightings(workspace)) {
    if (!sighting.declares || sighting.kind !== kind) continue;
    const here = sighting.on === on || applies(sighting.on, on) || applies(on, sighting.on);
    if ((kind === 'device' || kind === 'policy') && !here) continue;
    const detail = sighting.on === '*' ? `a ${kind}` : `a ${kind} of ${sighting.on}`;
    names.set(sighting.text, { label: sighting.text, kind: 'name', detail });
  }
  return [...names.values()];
}

/** Names of principals that the policies speak of already. */
function used(workspace: Workspace, kind: string): readonly Value[] {
  const names = new Set<string>();
  for (const sighting of sightings(workspace)) if (sighting.kind === kind) names.add(sighting.text);
  return [...names].map((label) => ({ label, kind: 'name', detail: `a ${kind} of the policies` }));
}

/** Those that plans write, drop-ins of the services that the policies name among them. */
function files({ readings }: Workspace): readonly Value[] {
  const policies = [...readings.values()].flatMap(({ document }) =>
    document.declarations.flatMap(({ node }) => (node.kind === 'policy' ? [node] : [])),
  );
  return writtenFiles(policies).map((label) => ({
    label,
    kind: 'value',
    detail: fileMeaning(label).replaceAll('`', ''),
    quoted: true,
  }));
}

/** In `host role is`, and in `label role`: `role`. */
function nameBefore({ before }: Cursor): string {
  const name = before.at(before.at(-1)?.image === 'is' ? -2 : -1)?.image ?? '';
  return name.replace(/^"|"$/g, '');
}

function labelValues({ readings }: Workspace, name: string): readonly Value[] {
  const values = new Set<string>();
  for (const { document } of readings.values()) {
    for (const { node } of document.declarations) {
      for (const statement of node.kind === 'host' ? node.statements : [])
        if (statement.kind === 'label' && statement.name.text === name) values.add(statement.value.text);
    }
  }
  return [...values].map((label) => ({ label, kind: 'value', detail: `a value of ${name}`, quoted: true }));
}
