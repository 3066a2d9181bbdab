/** The page: a policy's text, what is wrong with it, and the plan for a chosen machine, all live. */
import { editor, MarkerSeverity, Uri } from 'monaco-editor/editor';
import 'monaco-editor/features/register.all';
import EditorWorker from 'monaco-editor/editor/editor.worker?worker';
import type { Diagnostic } from '../src/index.ts';
import { asking } from './asking.ts';
import { declared } from './element.ts';
import { type Example, machineBeside, machines, policies } from './examples.ts';
import { defineThemes, languageId, rangeOf, registerLanguage } from './language.ts';
import { planSections } from './plan-view.ts';
import { problemItems } from './problems.ts';
import type { Answer, Question } from './protocol.ts';
import { registerProviders } from './providers.ts';
import { explanationOf } from './service/explanation.ts';
import './style.css';

globalThis.MonacoEnvironment = { getWorker: () => new EditorWorker() };

const file = 'policy.vfio';
const parameters = new URLSearchParams(location.search);
const compiler = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'vfioplan' });

registerLanguage();
defineThemes();

const dark = matchMedia('(prefers-color-scheme: dark)');
const model = editor.createModel('', languageId, Uri.parse(`inmemory://policies/${file}`));
const view = editor.create(declared('text', HTMLDivElement), {
  model,
  theme: dark.matches ? 'vfio-dark' : 'vfio-light',
  automaticLayout: true,
  minimap: { enabled: false },
  fontSize: 14,
  scrollBeyondLastLine: false,
  ariaLabel: 'Policy text',
  bracketPairColorization: { enabled: false },
  'semanticHighlighting.enabled': true,
  wordBasedSuggestions: 'off',
  fixedOverflowWidgets: true,
  padding: { top: 12 },
});
dark.addEventListener('change', () => editor.setTheme(dark.matches ? 'vfio-dark' : 'vfio-light'));

let machine: Example = machines[0] ?? { name: 'no machine', text: '' };
let words: readonly Diagnostic[] = [];
let meaning: readonly Diagnostic[] = [];

/** Grows with every question, be it for a new text or for another machine. */
let newest = 0;

function ask(): void {
  newest += 1;
  const today = parameters.get('today') ?? localDate();
  const asked = { name: machine.name, json: machine.text };
  compiler.postMessage({
    ask: 'judge',
    version: newest,
    file,
    text: model.getValue(),
    machine: asked,
    today,
  } satisfies Question);
}

function localDate(): string {
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

const { ask: askService, served } = asking((question) => compiler.postMessage(question));
const hintsChanged = registerProviders({
  ask: askService,
  file,
  current: () => [...words, ...meaning].filter(isHere),
  failed: (message) => showVerdict('error', `Not formatted: ${message}`),
});

compiler.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
  if (data.wave === 'served') return served(data);
  if (data.version !== newest) return;
  if (data.wave === 'words') {
    words = data.diagnostics;
    mark('words', words);
    showProblems();
    return;
  }
  if (data.wave === 'bug') {
    showVerdict('error', `This is a bug in vfioplan, not in the policy: ${data.message}`);
    planBody.replaceChildren();
    return;
  }
  meaning = data.diagnostics;
  mark('meaning', meaning);
  showProblems();
  hintsChanged();
  planBody.replaceChildren(...planSections(data.plans, showLine));
  const errors = [...words, ...meaning].filter(({ severity }) => severity === 'error').length;
  const steps = data.plans.reduce((sum, { steps: { length } }) => sum + length, 0);
  if (errors > 0) showVerdict('error', `Refused: ${errors} ${errors === 1 ? 'error' : 'errors'}`);
  else if (data.plans.length === 0) showVerdict('warning', 'No host of this policy has a machine here');
  else showVerdict('good', `Sound: ${steps} ${steps === 1 ? 'step' : 'steps'}`);
});
compiler.addEventListener('error', ({ message }) =>
  showVerdict('error', `The compiler cannot run here: ${message}`),
);

const planBody = declared('plan-body', HTMLDivElement);
const problemList = declared('problem-list', HTMLOListElement);
const verdict = declared('verdict', HTMLParagraphElement);

function showVerdict(kind: 'good' | 'warning' | 'error', text: string): void {
  verdict.className = kind;
  verdict.textContent = text;
}

const severities = {
  error: MarkerSeverity.Error,
  warning: MarkerSeverity.Warning,
  info: MarkerSeverity.Info,
};

function isHere({ place }: Diagnostic): boolean {
  return place.file === file;
}

function mark(owner: string, diagnostics: readonly Diagnostic[]): void {
  const markers = diagnostics.filter(isHere).map((diagnostic) => {
    const { startLineNumber, startColumn, endLineNumber, endColumn } = rangeOf(model, diagnostic.place.span);
    return {
      severity: severities[diagnostic.severity],
      code: diagnostic.code,
      source: 'vfioplan',
      message: explanationOf(diagnostic).join('\n'),
      startLineNumber,
      startColumn,
      endLineNumber,
      endColumn,
    };
  });
  editor.setModelMarkers(model, owner, markers);
}

function showProblems(): void {
  const all = [...words, ...meaning];
  const lineOf = (diagnostic: Diagnostic) =>
    isHere(diagnostic) ? model.getPositionAt(diagnostic.place.span.start).lineNumber : undefined;
  const items = problemItems(all, lineOf, ({ place }) => {
    view.setSelection(rangeOf(model, place.span));
    view.revealLineInCenterIfOutsideViewport(model.getPositionAt(place.span.start).lineNumber);
    view.focus();
  });
  problemList.replaceChildren(...items);
}

function showLine(line: number): void {
  view.setPosition({ lineNumber: line, column: 1 });
  view.revealLineInCenterIfOutsideViewport(line);
  view.focus();
}

// Choosing

const examplePicker = declared('example', HTMLSelectElement);
const machinePicker = declared('machine', HTMLSelectElement);
const filePicker = declared('file', HTMLInputElement);
const opened: { policies: Example[]; machines: Example[] } = { policies: [], machines: [] };

function fill(picker: HTMLSelectElement, examples: readonly Example[]): void {
  picker.replaceChildren(...examples.map(({ name }) => new Option(name, name)));
}

function choosePolicy(example: Example): void {
  examplePicker.value = example.name;
  model.setValue(example.text);
}

function chooseMachine(example: Example): void {
  machine = example;
  machinePicker.value = example.name;
  ask();
}

function refill(): void {
  fill(examplePicker, [...policies, ...opened.policies]);
  fill(machinePicker, [...machines, ...opened.machines]);
}

examplePicker.addEventListener('change', () => {
  const example = [...policies, ...opened.policies].find(({ name }) => name === examplePicker.value);
  if (example === undefined) return;
  choosePolicy(example);
  const beside = opened.policies.includes(example) ? undefined : machineBeside(example.name);
  if (beside !== undefined) chooseMachine(beside);
});
machinePicker.addEventListener('change', () => {
  const example = [...machines, ...opened.machines].find(({ name }) => name === machinePicker.value);
  if (example !== undefined) chooseMachine(example);
});
declared('open', HTMLButtonElement).addEventListener('click', () => filePicker.click());
filePicker.addEventListener('change', () => {
  const [chosen] = filePicker.files ?? [];
  filePicker.value = '';
  if (chosen === undefined) return;
  chosen.text().then(
    (text) => {
      const example = { name: chosen.name, text };
      const isPolicy = chosen.name.endsWith('.vfio');
      opened[isPolicy ? 'policies' : 'machines'].push(example);
      refill();
      machinePicker.value = machine.name;
      if (isPolicy) choosePolicy(example);
      else chooseMachine(example);
    },
    (error: unknown) => showVerdict('error', `${chosen.name} cannot be read: ${error}`),
  );
});

declared('format', HTMLButtonElement).addEventListener('click', () => {
  view.focus();
  view.trigger('button', 'editor.action.formatDocument', null);
});
model.onDidChangeContent(ask);
refill();
const first = policies.find(({ name }) => name === parameters.get('example')) ?? policies[0];
if (first !== undefined) {
  choosePolicy(first);
  chooseMachine(machineBeside(first.name) ?? machine);
}
