import { check } from '../src/check/check.ts';
import type { CheckInput, Checking } from '../src/check/checked.ts';
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
