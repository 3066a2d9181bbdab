/**
 * The compiler beside the page: the very same functions as on the command line, in a web worker, so that typing never
 * waits for them.
 */
import { check, type Diagnostic, plan, readDocument, readSnapshot, type Snapshot } from '../src/index.ts';
import type { Answer, Question } from './protocol.ts';

let newest: Question | undefined;

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  newest = data;
  answering(data, () => {
    const { diagnostics } = readDocument(data.file, data.text);
    return { wave: 'words', version: data.version, diagnostics };
  });
  // Behind the messages that wait already: only the newest question is worth the rest.
  setTimeout(() => {
    if (newest === data) answering(data, () => meaning(data));
  });
});

function answering({ version }: Question, answer: () => Answer): void {
  try {
    postMessage(answer());
  } catch (error) {
    // The compiler throws for its own bugs only; the page says so instead of showing what is no longer true.
    postMessage({ wave: 'bug', version, message: String(error) } satisfies Answer);
  }
}

function meaning({ version, file, text, machine, today }: Question): Answer {
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

function snapshotOf({ name, json }: Question['machine']): ReadMachine {
  if (last?.json !== json) last = { json, read: readSnapshot(name, json) };
  return last.read;
}
