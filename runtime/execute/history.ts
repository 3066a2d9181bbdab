import type { Diagnostic, Place } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import type { JournalEnd, JournalHeader, JournalIntent, JournalRecord } from '../../src/wire/journal.ts';

/** What a journal tells of one generation. */
export interface History {
  readonly header: JournalHeader;
  /** In the order in which they were begun. */
  readonly steps: readonly StepHistory[];
  /** The last verdict, unless a later run took the journal up again and did not come to its end. */
  readonly verdict: JournalEnd['verdict'] | null;
  /** The steps are being taken back: a rollback was begun, or a revert. */
  readonly undoing: 'rollback' | 'revert' | null;
}

interface StepHistory {
  readonly intent: JournalIntent;
  /** Absent: nobody knows whether it was done. */
  readonly outcome?: { readonly errno: string | null; readonly matches: boolean };
}

interface Draft {
  readonly steps: { intent: JournalIntent; outcome?: NonNullable<StepHistory['outcome']> }[];
  verdict: History['verdict'];
  undoing: History['undoing'];
}

/**
 * Reads the records of one journal as a history, and refuses an order in which no run of ours writes them: a journal
 * that contradicts itself says nothing that may be acted upon. A journal without a header (the run stopped before the
 * first record was whole) has no history: nothing was done.
 */
export function historyOf(
  records: readonly JournalRecord[],
  place: Place,
): { readonly history?: History; readonly diagnostics: readonly Diagnostic[] } {
  const [header, ...rest] = records;
  if (header === undefined) return { diagnostics: [] };
  if (header.record !== 'header') return refuse(place, 1, 'a journal begins with its header');
  const draft: Draft = { steps: [], verdict: null, undoing: null };
  for (const [index, record] of rest.entries()) {
    const problem = take(draft, header, record);
    if (problem !== null) return refuse(place, index + 2, problem);
  }
  return { history: { header, ...draft }, diagnostics: [] };
}

/** Adds a record; what is wrong with it, or null. */
function take(draft: Draft, header: JournalHeader, record: JournalRecord): string | null {
  if (draft.verdict !== null && record.record !== 'resume') return 'the journal was ended before';
  const last = draft.steps[draft.steps.length - 1];
  switch (record.record) {
    case 'header':
      return 'there is one header';
    case 'intent':
      if (draft.undoing !== null) return 'no step is begun while steps are taken back';
      if (record.step !== draft.steps.length + 1 || record.step > header.steps) return 'steps go one by one';
      if (last !== undefined && last.outcome === undefined) return 'the step before has no outcome';
      draft.steps.push({ intent: record });
      return null;
    case 'outcome':
      if (last?.intent.step !== record.step || last.outcome !== undefined) return 'no such step was begun';
      last.outcome = { errno: record.errno, matches: record.matches };
      return null;
    case 'undo':
    case 'undone':
      // Whether it is undone the machine says, when it is looked at again.
      if (record.step > draft.steps.length) return 'no such step was begun';
      draft.undoing ??= 'rollback';
      return null;
    case 'resume':
      if (record.why === 'revert') draft.undoing = 'revert';
      if (record.why === 'expire') draft.undoing ??= 'rollback';
      draft.verdict = null;
      return null;
    case 'end':
      draft.verdict = record.verdict;
      return null;
  }
}

/** Every step was done as predicted, and nobody began to take any back. */
export function wasDone({ header, steps, undoing }: History): boolean {
  const all = undoing === null && steps.length === header.steps;
  return all && steps.every(({ outcome }) => outcome?.matches === true);
}

/** It is neither finished nor taken back: nothing new is begun before. */
export function isOpen({ verdict }: History): boolean {
  return verdict === null || verdict === 'incomplete';
}

/** All was done, somebody has to confirm that it may stay, and nobody did yet. */
export function awaits(history: History): boolean {
  return history.header.confirmWithin !== undefined && history.verdict === null && wasDone(history);
}

function refuse(
  place: Place,
  line: number,
  problem: string,
): { readonly diagnostics: readonly Diagnostic[] } {
  const cures = ['put the journal back from a copy, or see by hand what the machine shows'];
  return { diagnostics: [report('VP6013', place, { line, problem }, { cures })] };
}
