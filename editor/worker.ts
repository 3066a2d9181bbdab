/**
 * The compiler beside the page: the very same functions as on the command line, in a web worker, so that typing never
 * waits for them.
 */
import {
  check,
  type Diagnostic,
  format,
  plan,
  readDocument,
  readSnapshot,
  type Snapshot,
} from '../src/index.ts';
import type { Formatted, Formatting, Judgement, Judging, Question } from './protocol.ts';

let newest: Judging | undefined;

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  if (data.ask === 'judge') judge(data);
  else postMessage(formatted(data));
});

function formatted({ request, file, text }: Formatting): Formatted {
  try {
    return { wave: 'formatted', request, ...format(file, text) };
  } catch (error) {
    return { wave: 'formatted', request, text, diagnostics: [], bug: String(error) };
  }
}

function judge(data: Judging): void {
  newest = data;
  answering(data, () => {
    const { diagnostics } = readDocument(data.file, data.text);
    return { wave: 'words', version: data.version, diagnostics };
  });
  // Behind the messages that wait already: only the newest question is worth the rest.
  setTimeout(() => {
    if (newest === data) answering(data, () => meaning(data));
  });
}

function answering({ version }: Judging, answer: () => Judgement): void {
  try {
    postMessage(answer());
  } catch (error) {
    // The compiler throws for its own bugs only; the page says so instead of showing what is no longer true.
    postMessage({ wave: 'bug', version, message: String(error) } satisfies Judgement);
  }
}

function meaning({ version, file, text, machine, today }: Judging): Judgement {
  const { snapshot, diagnostics } = snapshotOf(machine);
  if (snapshot === undefined) return { wave: 'meaning', version, diagnostics, plans: [] };
  const sources = [{ file, text }];
  const checking = check({ sources, machines: [{ name: machine.name, snapshot }], today });
  const sound = checking.hosts.flatMap(({ checked }) => (checked === undefined ? [] : [checked]));
  const plans = sound.map((policy) => plan(policy, { sources, today }));
  return { wave: 'meaning', version, diagnostics: [...diagnostics, ...checking.diagnostics], plans };
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
