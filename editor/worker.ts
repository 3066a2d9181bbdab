/**
 * The compiler beside the page: the very same functions as on the command line and in the language server, in a web
 * worker, so that typing never waits for them.
 */
import { type Diagnostic, readSnapshot, type Snapshot } from '../src/index.ts';
import type { Answer, Judgement, Judging, Question, Served, Serving } from './protocol.ts';
import {
  beyond,
  type Meaning,
  meaningOf,
  type Workspace,
  withText,
  wordsAndNames,
} from './service/workspace.ts';
import { type Known, services } from './services.ts';

let newest: Judging | undefined;
let workspace: Workspace = { readings: new Map(), machines: [], today: '' };
let meaning: Meaning | undefined;
let judged: Workspace | undefined;

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  if (data.ask === 'judge') judge(data);
  else answer(served(data));
});

function answer(words: Answer): void {
  postMessage(words);
}

function served({ request, service, words }: Serving): Served {
  try {
    const known: Known = { file: newest?.file ?? '', workspace, meaning, isFresh: judged === workspace };
    // Which words go with which service, the page's `ask` has seen to.
    const serve = services[service] as (known: Known, words: unknown) => Served['answer'];
    return { wave: 'served', request, answer: serve(known, words) };
  } catch (error) {
    return { wave: 'served', request, bug: String(error) };
  }
}

function judge(data: Judging): void {
  newest = data;
  const { version, file, text, today, machine } = data;
  let first: readonly Diagnostic[] = [];
  answering(data, () => {
    const { snapshot } = snapshotOf(machine);
    const machines = snapshot === undefined ? [] : [{ name: machine.name, snapshot }];
    workspace = withText({ ...workspace, machines, today }, file, text);
    first = wordsAndNames(workspace);
    return { wave: 'words', version, diagnostics: first };
  });
  // Behind the messages that wait already: only the newest question is worth the rest.
  setTimeout(() => {
    if (newest === data) answering(data, () => rest(data, first));
  });
}

function answering({ version }: Judging, say: () => Judgement): void {
  try {
    answer(say());
  } catch (error) {
    // The compiler throws for its own bugs only; the page says so instead of showing what is no longer true.
    answer({ wave: 'bug', version, message: String(error) });
  }
}

function rest({ version, machine }: Judging, first: readonly Diagnostic[]): Judgement {
  const { snapshot, diagnostics } = snapshotOf(machine);
  if (snapshot === undefined) {
    meaning = undefined;
    return { wave: 'meaning', version, diagnostics, plans: [] };
  }
  meaning = meaningOf(workspace);
  judged = workspace;
  const later = beyond(first, meaning.diagnostics);
  return { wave: 'meaning', version, diagnostics: [...diagnostics, ...later], plans: meaning.plans };
}

interface ReadMachine {
  readonly snapshot?: Snapshot;
  readonly diagnostics: readonly Diagnostic[];
}

// The machine stays while the text changes.
let last: { json: string; read: ReadMachine } | undefined;

function snapshotOf({ name, json }: Judging['machine']): ReadMachine {
  if (last?.json !== json) last = { json, read: readSnapshot(name, json) };
  return last.read;
}
