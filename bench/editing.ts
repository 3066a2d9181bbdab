/** How a language service keeps up with who types: ours, and the one that Monaco brings for TypeScript, side by side. */
import ts from 'typescript';
import { meaningOf, type Workspace, withText, wordsAndNames } from '../editor/service/workspace.ts';
import { machine } from '../test/machines.ts';
import { fleetPolicy } from './fleet.ts';

const nothing: Workspace = { readings: new Map(), machines: [], today: '2026-12-01' };
const file = 'fleet.vfio';
const typed = '  bind  uplink-7 to vfio-pci\n  allow user "a b" to use uplink-7 via any {';

/** A policy of `lines` lines; with `broken`, every fiftieth declaration has a mistake: a brace, a quote, a keyword. */
export function policyOf(lines: number, broken: boolean): string {
  const text = fleetPolicy(lines);
  if (!broken) return text;
  const mistakes: readonly ((block: string) => string)[] = [
    (block) => block.replace(/\}\s*$/, ''),
    (block) => block.replace(/"[^"]*"/, '"role'),
    (block) => block.replace(/^ {2}(\w)\w/m, '  $1'),
  ];
  return text
    .split('\n\n')
    .map((block, index) => (index % 50 === 7 ? (mistakes[index % 3]?.(block) ?? block) : block))
    .join('\n\n');
}

/** Types statements into a text, a key at a time: the text after each key, all over the file. */
function* keys(text: string, count: number): Generator<string> {
  for (let key = 0; key < count; key++) {
    const burst = Math.floor(key / typed.length);
    const at = text.indexOf('\n', (burst * 9973) % text.length) + 1;
    yield text.slice(0, at) + typed.slice(0, (key % typed.length) + 1) + text.slice(at);
  }
}

/** Milliseconds from each key to the diagnostics of words and names, in the order of the keys. */
export function firstWaves(text: string, count: number, now: () => number): number[] {
  let workspace = withText(nothing, file, text);
  wordsAndNames(workspace);
  const times: number[] = [];
  for (const next of keys(text, count)) {
    const from = now();
    workspace = withText(workspace, file, next);
    wordsAndNames(workspace);
    times.push(now() - from);
  }
  return times;
}

/**
 * Bytes in use, after collecting what is garbage, at ten points of `count` edits of a text of 1,000 lines, each with its
 * first wave and every thousandth with its second.
 */
export function memoryOver(count: number, collect: () => void): number[] {
  const text = policyOf(1000, false);
  let workspace: Workspace = { ...withText(nothing, file, text), machines: machines(30) };
  const used: number[] = [];
  let edit = 0;
  for (const next of keys(text, count)) {
    workspace = withText(workspace, file, next);
    wordsAndNames(workspace);
    edit += 1;
    if (edit % 1000 === 0) meaningOf(workspace);
    if (edit % Math.floor(count / 10) !== 0) continue;
    collect();
    used.push(process.memoryUsage().heapUsed);
  }
  return used;
}

/** One machine of so many functions, a third each network, storage and graphics. */
function machines(functions: number): Workspace['machines'] {
  const kinds = [
    { id: '8086:1572', class: 'nic', driver: 'i40e' },
    { id: '144d:a80a', class: 'nvme', driver: 'nvme' },
    { id: '10de:2684', class: 'gpu', driver: null },
  ] as const;
  const listed = Array.from({ length: functions }, (_, index) => ({
    ...(kinds[index % 3] ?? kinds[0]),
    at: `${(index + 1).toString(16).padStart(4, '0').slice(0, 2)}00:${((index + 1) % 256).toString(16).padStart(2, '0')}:00.0`,
  }));
  const snapshot = machine({ hostname: 'big', functions: listed, users: [{ name: 'dpdk', uid: 990 }] });
  return [{ name: 'big', snapshot }];
}

function judgedPolicy(machine: Workspace['machines'][number]): string {
  const { functions } = machine.snapshot;
  const devices = functions
    .slice(0, 30)
    .map(({ address }, index) => `device d${index} on big { at ${address} }`);
  const statements = devices.map(
    (_, index) => `  bind d${index} to vfio-pci\n  allow user dpdk to use d${index} via group`,
  );
  return `host big { iommu required }
${devices.join('\n')}
devices gpus on big { class display }
policy all on big {
${statements.join('\n')}
  forbid vm * to use gpus
  protect devices that hold root, boot, swap, management
  forbid unsafe interrupts
}
`;
}

/** Milliseconds of the second wave, plan and proof included, each after an edit, on a machine of so many functions. */
export function secondWaves(functions: number, runs: number, now: () => number): number[] {
  const all = machines(functions);
  const [first] = all;
  if (first === undefined) return [];
  const text = judgedPolicy(first);
  let workspace: Workspace = { ...nothing, machines: all };
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    workspace = withText(workspace, file, `${text}# ${'x'.repeat(run)}\n`);
    const from = now();
    const { plans, diagnostics } = meaningOf(workspace);
    times.push(now() - from);
    if (plans.length !== 1) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  }
  return times;
}

/** The same of TypeScript's service, which Monaco has: a key to syntactic and semantic diagnostics of a file of `lines` lines. */
export function peerWaves(lines: number, count: number, now: () => number): number[] {
  const parts: string[] = [];
  for (let index = 0; parts.length * 10 < lines; index++) {
    parts.push(`export interface Uplink${index} { at: string; id: string; numa: number }
export const uplink${index}: Uplink${index} = {
  at: '0000:03:00.0',
  id: '8086:1572',
  numa: ${index},
};
export function use${index}(who: string): string {
  return who + uplink${index}.at;
}
`);
  }
  const text = parts.join('\n');
  let [current, version] = [text, 0];
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({ noLib: true, types: [], target: ts.ScriptTarget.ES2022 }),
    getScriptFileNames: () => ['fleet.ts'],
    getScriptVersion: () => String(version),
    getScriptSnapshot: (name) => (name === 'fleet.ts' ? ts.ScriptSnapshot.fromString(current) : undefined),
    getCurrentDirectory: () => '/',
    getDefaultLibFileName: () => 'lib.d.ts',
    fileExists: (name) => name === 'fleet.ts',
    readFile: () => undefined,
  });
  const words = 'export const typed: string = uplink7.at + use7("a");';
  const times: number[] = [];
  for (let key = 0; key < count; key++) {
    const at = text.indexOf('\n\n', (Math.floor(key / words.length) * 9973) % text.length) + 2;
    current = text.slice(0, at) + words.slice(0, (key % words.length) + 1) + text.slice(at);
    version += 1;
    const from = now();
    service.getSyntacticDiagnostics('fleet.ts');
    service.getSemanticDiagnostics('fleet.ts');
    times.push(now() - from);
  }
  return times;
}
