import { describe, expect, test } from 'vitest';
import { lineIndex, positionAt } from '../../grammar/lines.ts';
import { check } from '../../src/check/check.ts';
import type { CheckInput, Checking } from '../../src/check/checked.ts';
import type { Diagnostic, Place } from '../../src/diagnostics/diagnostic.ts';
import { makePlan } from '../../src/plan/make.ts';
import { runAll } from '../runtime/tests/run-all.ts';
import { devices } from './devices.ts';
import { type Example, inputOf } from './example.ts';
import { files } from './files.ts';
import { hosts } from './hosts.ts';
import { laws } from './laws.ts';
import { principals } from './principals.ts';
import { tests } from './tests.ts';
import { wishes } from './wishes.ts';
import { words } from './words.ts';

// What the language means, sentence by sentence: each is the name of a test, and is shown by a policy and its verdict.

function said({ sources }: CheckInput, { severity, code, place, related }: Diagnostic): string {
  const line = ({ file, span }: Place) => {
    const text = sources.find((source) => source.file === file)?.text ?? '';
    const own = file === 'policy.vfio' ? '' : `${file}:`;
    return `${own}${positionAt(lineIndex(text), span.start).line}`;
  };
  return `${severity} ${code} ${[place, ...related.map((each) => each.place)].map(line).join(', ')}`;
}

function chosen({ hosts }: Checking): Record<string, readonly string[]> {
  const all = hosts.flatMap(({ policy }) => [...(policy?.devices.values() ?? [])]);
  return Object.fromEntries(
    all.map(({ name, functions }) => [name, functions.map((address) => address.replace(/^0000:/, ''))]),
  );
}

async function shows(example: Example): Promise<void> {
  const input = inputOf(example);
  const checking = check(input);
  expect(checking.diagnostics.map((each) => said(input, each))).toEqual(example.said ?? []);
  if (example.chosen !== undefined) expect(chosen(checking)).toMatchObject(example.chosen);
  const refused = checking.diagnostics.some(({ severity }) => severity === 'error');
  for (const { policy, checked } of checking.hosts)
    if (policy !== undefined && !refused) expect(checked).toBeDefined();
  const plans = checking.hosts.flatMap(({ checked }) =>
    checked === undefined ? [] : [makePlan(checked, input)],
  );
  const several = example.machines !== undefined;
  const steps = plans.flatMap(({ host, steps }) =>
    steps.map(({ sentence }) => (several ? `${host}: ${sentence}` : sentence)),
  );
  const uses = plans.flatMap(({ access }) =>
    access.map(({ who, device, path }) => `${who}: ${device} via ${path}`),
  );
  if (example.plan !== undefined) expect(steps).toEqual(example.plan);
  if (example.access !== undefined) expect(uses).toEqual(example.access);
  if (example.plan !== undefined || example.access !== undefined) expect(plans.length).toBeGreaterThan(0);
  if (example.tests === undefined) return;
  const results = await runAll(input);
  expect(results.flatMap(({ diagnostics }) => diagnostics)).toEqual([]);
  expect(results.map(({ passed }) => passed)).toEqual(Array(example.tests).fill(true));
}

describe.each(Object.entries({ words, hosts, devices, wishes, principals, laws, tests, files }))(
  '%s',
  (_, examples: readonly Example[]) => {
    test.each(examples)('$sentence', shows);
  },
);

test('Address and identity are looked at again right before every bind, and the serial number before the plan.', () => {
  const text = 'device a { at 03:00.0 id 8086:1572 serial "B4-96-91-FF" }\npolicy p { bind a to vfio-pci }';
  const input = inputOf({ sentence: '', text });
  const checked = check(input).hosts[0]?.checked;
  const plan = checked && makePlan(checked, input);
  expect(plan?.steps.map(({ operation, identity }) => [operation.op, identity])).toEqual([
    ['driver.unbind', '8086:1572'],
    ['override.write', '8086:1572'],
    ['driver.bind', '8086:1572'],
  ]);
  expect(plan?.relies['/functions/0000:03:00.0/serial']).toBe('"B4-96-91-FF"');
});

test('A policy and a snapshot always give the same answer.', () => {
  for (const example of [...wishes, ...principals]) {
    const answer = () => {
      const checking = check(inputOf(example));
      return JSON.stringify([
        checking.diagnostics,
        checking.hosts.map(({ checked }) => checked && makePlan(checked, inputOf(example))),
      ]);
    };
    expect(answer()).toBe(answer());
  }
});
