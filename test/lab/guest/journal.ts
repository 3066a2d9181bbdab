/** Reads the journals that the command line left, without its own reader: what was foretold against what was seen. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalRecord } from '../../../src/wire/journal.ts';
import type { Guest } from './guest.ts';

type Intent = Extract<JournalRecord, { record: 'intent' }>;
type Shows = { readonly [path: string]: string | null };

/** Records of every journal under `folder`, in order of their names. */
export function readJournals(folder: string): readonly JournalRecord[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return files.flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n');
    if (!lines[0]?.includes('"vfioplan.journal"')) return [];
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JournalRecord);
  });
}

/**
 * Reports each step of the journals to the lab: done steps must show what their intent foretold, undone steps what
 * their undo foretold, or what was there before all steps if nothing had to be done for it. The paths are compared here again; the journal's own verdict must say the same.
 * `failing` is the sentence of a step that is meant to fail.
 */
export function countSteps(guest: Guest, records: readonly JournalRecord[], failing?: RegExp): void {
  const intents = new Map<number, Intent>();
  const undoing = new Set<number>();
  let start: Shows = {};
  for (const record of records) {
    if (record.record === 'intent') {
      intents.set(record.step, record);
      start = { ...record.before, ...(record.step === 1 ? {} : start) };
      undoing.delete(record.step);
    }
    if (record.record === 'undo') undoing.add(record.step);
    if (record.record !== 'outcome' && record.record !== 'undone') continue;
    const intent = intents.get(record.step);
    const undone = record.record === 'undone';
    const words = `${undone ? 'undo' : 'do'} ${record.step}: ${intent?.sentence}`;
    const { observed } = record;
    const differs = unequal(
      undone ? afterUndo(intent, observed, undoing.has(record.step) ? {} : start) : intent?.after,
      observed,
    );
    if (record.errno !== null) differs.push(`answered ${record.errno}`);
    if (!undone && failing?.test(intent?.sentence ?? '')) {
      guest.check(`${words} fails, and the journal says so`, differs.length > 0 && !record.matches, record);
      continue;
    }
    guest.step(words, differs);
    guest.check(`${words}: the journal's own verdict`, record.matches === (differs.length === 0), record);
  }
}

/**
 * What the paths show once the step is undone: as before, but for what lasts, such as the taint. A node that came back with its
 * function may have another number: then it is the only path.
 */
function afterUndo(intent: Intent | undefined, observed: Shows, start: Shows): Shows | undefined {
  if (intent === undefined || 'none' in intent.undo) return intent?.before;
  const paths = Object.keys(observed);
  if (paths.every((path) => observed[path] === start[path])) return observed;
  const { operation, after } = intent.undo;
  const [present = ''] = paths;
  if (operation.op !== 'node.own' || operation.of === undefined || present in after) return after;
  return { [present]: after[operation.path] ?? null };
}

function unequal(expected: Shows | undefined, observed: Shows): string[] {
  if (expected === undefined) return ['an outcome without intent'];
  return Object.keys({ ...expected, ...observed })
    .filter((path) => expected[path] !== observed[path])
    .map((path) => `${path} shows ${observed[path]}, foretold ${expected[path]}`);
}
