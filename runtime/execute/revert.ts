import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import { numbered } from '../../src/plan/numbered.ts';
import type { JournalRecord } from '../../src/wire/journal.ts';
import type { Backend } from '../backend.ts';
import { observe, presentNode } from '../lower/observe.ts';
import { awaits, type History, isOpen, wasDone } from './history.ts';
import {
  type Ending,
  locked,
  placeOf,
  placeOfStore,
  Run,
  type RunOptions,
  readHistory,
  refused,
  unfinished,
  unusable,
} from './run.ts';
import { isFailure, type JournalStore } from './store.ts';
import { incomplete, startOf, undoAll } from './undo.ts';
import { agrees, difference, look, outlivesBoot, quoted, type Shows } from './verify.ts';

type JournalResume = Extract<JournalRecord, { record: 'resume' }>;

/**
 * Back to the state before a generation, from its journal alone; without a number, the newest one that is in effect.
 * Refused, with nothing done, when a later generation is in effect or when something on the machine shows neither what
 * the generation left nor what it found: then somebody else has changed it, and to undo would be to overwrite.
 */
export function revert(
  backend: Backend,
  store: JournalStore,
  options: RunOptions,
  generation?: number,
): Ending {
  return locked(store, options.time, placeOfStore(store), () => {
    const chosen = inEffect(store, generation);
    if ('diagnostics' in chosen) return refused(chosen.diagnostics);
    const { history } = chosen;
    const strange = changedSince(history, backend, isRebooted(history, options));
    if (strange !== null) return refused([strange]);
    return takeUp(backend, store, options, history, 'revert');
  });
}

/**
 * After a run that was stopped in the middle: a plan of which every step was done as predicted is finished by saying
 * so, anything else is taken back, and so is a plan that somebody had to confirm and nobody did. A revert that was
 * stopped goes on. Nothing unfinished: nothing is done.
 */
export function recover(backend: Backend, store: JournalStore, options: RunOptions): Ending {
  return locked(store, options.time, placeOfStore(store), () => {
    const nothing: Ending = { ...refused([]), verdict: 'done' };
    const open = openHistory(store);
    if ('diagnostics' in open) return refused(open.diagnostics);
    const { history } = open;
    return history === undefined ? nothing : takeUp(backend, store, options, history, 'recover');
  });
}

/**
 * What was done waits to be confirmed: lets it stay, if the machine still shows it. Whoever can say so has reached the
 * machine after everything was done. Refused when nothing waits.
 */
export function confirm(backend: Backend, store: JournalStore, options: RunOptions): Ending {
  const place = placeOfStore(store);
  return locked(store, options.time, place, () => {
    const newest = newestHistory(store);
    if ('diagnostics' in newest) return refused(newest.diagnostics);
    const { history } = newest;
    if (history === undefined || !awaits(history)) {
      const cures = ['what is in effect stays; `vfioplan revert` takes it back'];
      return refused([report('VP6017', place, {}, { cures })]);
    }
    return takeUp(backend, store, options, history, 'confirm');
  });
}

/** Nobody has confirmed the generation in time: takes it back. What somebody else has ended by now stays as it is. */
export function expire(
  backend: Backend,
  store: JournalStore,
  options: RunOptions,
  generation: number,
): Ending {
  return locked(store, options.time, placeOf(generation), () => {
    const read = readHistory(store, generation);
    if ('diagnostics' in read) return refused(read.diagnostics);
    const { history } = read;
    if (history === undefined || history.verdict !== null) {
      const predictions = { compared: 0, equal: 0 };
      return { verdict: history?.verdict ?? 'rolled back', generation, predictions, diagnostics: [] };
    }
    return takeUp(backend, store, options, history, 'expire');
  });
}

function takeUp(
  backend: Backend,
  store: JournalStore,
  options: RunOptions,
  history: History,
  why: JournalResume['why'],
): Ending {
  const { generation } = history.header;
  const place = placeOf(generation);
  const sink = store.resume(generation);
  if (isFailure(sink)) return refused([unusable(place, sink)]);
  const run = new Run(backend, sink, options);
  try {
    if (why === 'confirm') {
      const strange = notAsLeft(history, run);
      if (strange !== null) return refused([strange]);
    }
    const unheard = run.append({ record: 'resume', why, time: options.time, bootId: options.bootId });
    // A full disk is no reason to let stay what nobody has confirmed.
    if (unheard !== null && why !== 'expire') return refused([unusable(place, unheard)]);
    if (why === 'confirm' || (why === 'recover' && isComplete(history, run)))
      return end(run, history, 'done', []);
    const left = undoAll(
      run,
      history.steps.map(({ intent }) => intent),
      isRebooted(history, options),
    );
    const reverting = why === 'revert' || history.undoing === 'revert';
    return end(run, history, left.length > 0 ? 'incomplete' : reverting ? 'reverted' : 'rolled back', left);
  } finally {
    sink.close();
  }
}

function end(
  run: Run,
  { header: { generation } }: History,
  verdict: 'done' | 'reverted' | 'rolled back' | 'incomplete',
  left: ReturnType<typeof undoAll>,
): Ending {
  const place = placeOf(generation);
  const unheard = run.append({ record: 'end', verdict, left: [...left] });
  const diagnostics = [
    ...(left.length > 0 ? [incomplete(place, generation, left)] : []),
    ...(unheard === null ? [] : [unusable(place, unheard)]),
  ];
  return { verdict, generation, predictions: run.predictions, diagnostics };
}

/** All was done, nobody had to confirm it, and the machine still shows it. */
function isComplete(history: History, { backend }: Run): boolean {
  if (history.header.confirmWithin !== undefined || !wasDone(history)) return false;
  const left = leftBy(history.steps);
  return difference(left, look(backend, left)) === null;
}

/** Why what was done cannot be confirmed: the machine does not show it any more. */
function notAsLeft({ header: { generation }, steps }: History, run: Run): Diagnostic | null {
  const left = leftBy(steps);
  const now = look(run.backend, left);
  run.count(left, now);
  const wrong = difference(left, now);
  if (wrong === null) return null;
  const { path, expected, found } = wrong;
  const holes = { generation, path, expected: quoted(expected), found: quoted(found) };
  const cures = ['bring back what the plan left, or take all of it back: `vfioplan recover`'];
  return report('VP6018', placeOf(generation), holes, { cures });
}

/** What every touched path shows after the last step. */
function leftBy(steps: History['steps']): Shows {
  return Object.assign({}, ...steps.map(({ intent }) => intent.after));
}

/** Whether the generation belongs to an earlier boot. A boot that is not known is taken for the same. */
function isRebooted({ header }: History, { bootId }: RunOptions): boolean {
  return header.bootId !== null && bootId !== null && header.bootId !== bootId;
}

function changedSince({ header, steps }: History, backend: Backend, rebooted: boolean): Diagnostic | null {
  const left = leftBy(steps);
  const found = startOf(steps.map(({ intent }) => intent));
  const isNumbered = numbered(left, found);
  const nodes = nodesGiven(steps, backend);
  for (const [path, value] of Object.entries(left)) {
    // What was put back since and came again may have another number: a node is then looked at where its function has it.
    const present = nodes.get(path) ?? (isNumbered(path) ? null : path);
    if (present === null) continue;
    const shown = observe(backend, present);
    if (rebooted && shown === null && !outlivesBoot(path)) continue;
    if (agrees(path, value, shown) || agrees(path, found[path] ?? null, shown)) continue;
    const step = steps.findLast(({ intent }) => path in intent.after)?.intent.step ?? 1;
    const causes = [
      `the generation left ${quoted(value)} there and had found ${quoted(found[path] ?? null)}`,
    ];
    const cures = [`bring back what the generation left, or undo by hand what its journal lists`];
    const holes = { step, path: present, found: quoted(shown) };
    return report('VP6014', placeOf(header.generation), holes, { causes, cures });
  }
  return null;
}

/** Nodes with a number that were given to somebody or taken, each with where its function has it now. */
function nodesGiven(steps: History['steps'], backend: Backend): ReadonlyMap<string, string | null> {
  const nodes = new Map<string, string | null>();
  for (const { intent } of steps) {
    const { operation } = intent;
    if (operation.op !== 'node.own' || operation.of === undefined) continue;
    nodes.set(operation.path, presentNode(backend, operation.path, operation.of));
  }
  return nodes;
}

type Chosen = { readonly history: History } | { readonly diagnostics: readonly Diagnostic[] };

/** The generation to revert: the given one or the newest, when it is in effect and nothing later is. */
function inEffect(store: JournalStore, wanted: number | undefined): Chosen {
  const generations = store.generations();
  const place = placeOfStore(store);
  if (isFailure(generations)) return { diagnostics: [unusable(place, generations)] };
  if (wanted !== undefined && !generations.includes(wanted)) {
    const cures = [generations.length === 0 ? 'there are none' : `there are ${generations.join(', ')}`];
    return { diagnostics: [report('VP6012', place, { generation: wanted }, { cures })] };
  }
  for (const generation of generations.toReversed()) {
    const read = readHistory(store, generation);
    if ('diagnostics' in read) return read;
    const verdict = read.history === undefined ? 'rolled back' : read.history.verdict;
    if (read.history !== undefined && isOpen(read.history))
      return { diagnostics: [unfinished(read.history)] };
    if (verdict === 'done' && read.history !== undefined) {
      if (wanted === undefined || wanted === generation) return { history: read.history };
      const cures = [`revert generation ${generation} first`];
      const holes = { generation: wanted, later: generation };
      return { diagnostics: [report('VP6015', placeOf(wanted), holes, { cures })] };
    }
    if (wanted === generation) break;
  }
  return { diagnostics: [report('VP6011', place, {}, { cures: ['nothing has to be done'] })] };
}

/** The newest generation that is neither finished nor taken back: a revert that did not come to its end leaves later ones closed. */
function openHistory(
  store: JournalStore,
): { readonly history: History | undefined } | { readonly diagnostics: readonly Diagnostic[] } {
  const generations = store.generations();
  const place = { file: store.place, span: { start: 0, end: 0 } };
  if (isFailure(generations)) return { diagnostics: [unusable(place, generations)] };
  for (const generation of generations.toReversed()) {
    const read = readHistory(store, generation);
    if ('diagnostics' in read) return read;
    const { history } = read;
    if (history !== undefined && isOpen(history)) return { history };
  }
  return { history: undefined };
}

function newestHistory(
  store: JournalStore,
): { readonly history: History | undefined } | { readonly diagnostics: readonly Diagnostic[] } {
  const generations = store.generations();
  const place = placeOfStore(store);
  if (isFailure(generations)) return { diagnostics: [unusable(place, generations)] };
  const newest = generations[generations.length - 1];
  if (newest === undefined) return { history: undefined };
  const read = readHistory(store, newest);
  return 'diagnostics' in read ? read : { history: read.history };
}
