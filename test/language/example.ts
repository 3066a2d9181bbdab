import type { CheckInput } from '../../src/check/checked.ts';
import { type MachineWords, machine } from '../machines.ts';
import { box } from './machines.ts';

/**
 * A sentence about the language, and a small policy that shows it: what is said of the policy on a machine, and what of
 * it follows there. What an example does not tell is not asked, but `said`: left out, nothing is said.
 */
export interface Example {
  readonly sentence: string;
  readonly text: string;
  /** One machine, or several by name. Default: `box` (see `machines.ts`). */
  readonly machine?: MachineWords;
  readonly machines?: Readonly<Record<string, MachineWords>>;
  /** Files beside `policy.vfio`, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** `YYYY-MM-DD`. */
  readonly today?: string;
  /** Severity and code, with the line in `policy.vfio`: `error VP3107 3`; places that are related follow: `error VP3107 3, 2`. */
  readonly said?: readonly string[];
  /** What devices are, by name: addresses without domain 0. */
  readonly chosen?: Readonly<Record<string, readonly string[]>>;
  /** The sentences of the plan's steps; on several machines, each after its host and a colon. */
  readonly plan?: readonly string[];
  /** `user dpdk: uplink via group`. */
  readonly access?: readonly string[];
  /** How many `test` blocks it has; each passes. */
  readonly tests?: number;
}

/** What `check` is given of an example. */
export function inputOf({
  text,
  files = {},
  machine: words = box,
  machines,
  today = '2026-11-22',
}: Example): CheckInput {
  const given = machines ?? { [words.hostname ?? 'box']: words };
  return {
    sources: Object.entries({ 'policy.vfio': text, ...files }).map(([file, text]) => ({ file, text })),
    machines: Object.entries(given).map(([name, each]) => ({
      name,
      snapshot: machine(name.endsWith('.json') ? each : { ...each, hostname: name }),
    })),
    today,
  };
}
