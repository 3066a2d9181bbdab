import { check } from '../src/check/check.ts';
import type { CheckInput, Checking } from '../src/check/checked.ts';
import { makePlan } from '../src/plan/make.ts';
import type { Plan } from '../src/plan/plan.ts';
import { type MachineWords, machine } from './machines.ts';

/** Checks one policy text against one machine of few words. */
export function checkPolicy(
  text: string,
  words: MachineWords,
  options: Partial<Pick<CheckInput, 'today' | 'strict'>> = {},
): Checking {
  const snapshot = machine(words);
  const machines = [{ name: words.hostname ?? 'testbox', snapshot }];
  return check({ sources: [{ file: 'policy.vfio', text }], machines, today: '2026-11-22', ...options });
}

export function codesOf({ diagnostics }: Checking): readonly string[] {
  return diagnostics.map(({ code }) => code);
}

/** The plan of a policy text that is sound on a machine of few words; otherwise it throws what is wrong. */
export function planPolicy(text: string, words: MachineWords): Plan {
  const checking = checkPolicy(text, words);
  const checked = checking.hosts[0]?.checked;
  if (checked === undefined)
    throw new Error(checking.diagnostics.map(({ code, message }) => `${code} ${message}`).join('; '));
  return makePlan(checked, { sources: [{ file: 'policy.vfio', text }], today: '2026-11-22' });
}
