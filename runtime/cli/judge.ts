import { check } from '../../src/check/check.ts';
import type { CheckedHost } from '../../src/check/checked.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { makePlan } from '../../src/plan/make.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Invocation } from './invocation.ts';
import { type Loaded, load, withoutRepeats } from './load.ts';

/** What check, plan and apply begin with: the files read, and every host judged. */
export interface Judged {
  readonly loaded: Loaded;
  /** Those that `--host` chose; with `--live` and `--native`, this machine. */
  readonly hosts: readonly CheckedHost[];
  /** Of reading and of judging; those of hosts that `--host` left out are left out. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads and judges. `live`: this machine, just read. */
export function judge({ io, line, operands, options }: Invocation, live?: Snapshot): Judged {
  const word = options.native ? '--native' : '--live';
  const present = live && ({ snapshot: live, word, host: options.host } as const);
  const loaded = load(io, line, operands, options.machine, present);
  const { sources, machines } = loaded;
  const checking = check({ sources, machines, today: options.today, strict: options.strict });
  const found = withoutRepeats(loaded, checking);
  const chosen = options.host ?? loaded.only;
  const all = loaded.whole ? checking.hosts : checking.hosts.map(({ checked: _, ...host }) => host);
  if (chosen === undefined) {
    return { loaded, hosts: all, diagnostics: [...loaded.diagnostics, ...found] };
  }
  const hosts = all.filter(({ host }) => host === chosen);
  const others = new Set(
    checking.hosts.filter(({ host }) => host !== chosen).flatMap(({ diagnostics }) => diagnostics),
  );
  const diagnostics = [...loaded.diagnostics, ...found.filter((diagnostic) => !others.has(diagnostic))];
  if (hosts.length === 0) {
    const names = checking.hosts.map(({ host }) => `\`${host}\``).join(', ');
    const cures = [names === '' ? 'the policies name no host' : `the hosts are ${names}`];
    const what = `no host is called \`${chosen}\``;
    diagnostics.push(report('VP2910', line.placeOf(chosen), { what }, { cures }));
  }
  return { loaded, hosts, diagnostics };
}

/** The plans of every host that was found sound. */
export function plansOf({ loaded, hosts }: Judged, today: string): readonly Plan[] {
  return hosts.flatMap(({ checked }) =>
    checked === undefined ? [] : [makePlan(checked, { sources: loaded.sources, today })],
  );
}
