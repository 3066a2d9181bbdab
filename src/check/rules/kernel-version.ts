import { replacement } from '../../diagnostics/fixes.ts';
import { report } from '../../diagnostics/report.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import type { KernelRelation } from '../../policy/policy.ts';
import { type Finding, found, needed } from '../finding.ts';
import type { Subject } from '../subject.ts';

/** `kernel >= 6.1` of the host, against the release that runs. */
export function* kernelVersion({ policy, snapshot }: Subject): Iterable<Finding> {
  const { release } = snapshot.kernel;
  for (const { relation, version, place } of policy.kernel ?? []) {
    const wanted = numbers(version);
    if (!wanted) continue;
    if (isUnknown(release)) {
      const sentence = `the kernel is ${relation} ${version}`;
      yield needed({ fact: '/kernel/release', sentence, unknown: release.unknown, place });
      continue;
    }
    const running = numbers(release);
    if (running && holds(relation, compare(running, wanted))) continue;
    yield found(
      report(
        'VP3112',
        place,
        { host: policy.host, relation, version, release },
        {
          cures: ['boot the kernel that is meant, or correct the statement'],
          fixes:
            running && !/^[<>]$/.test(relation)
              ? [replacement(place, running.slice(0, wanted.length).join('.'))]
              : [],
        },
      ),
    );
  }
}

/** `6.12.3-amd64` as numbers; undefined when it does not begin with a version. */
function numbers(release: string): number[] | undefined {
  const found = /^\d+(\.\d+){0,2}/.exec(release);
  return found ? found[0].split('.').map(Number) : undefined;
}

/** Compares as many numbers as were wanted: 6.12.3 equals 6.12. */
function compare(running: readonly number[], wanted: readonly number[]): number {
  for (const [index, number] of wanted.entries()) {
    const difference = (running[index] ?? 0) - number;
    if (difference !== 0) return difference;
  }
  return 0;
}

function holds(relation: KernelRelation['relation'], difference: number): boolean {
  switch (relation) {
    case '>=':
      return difference >= 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '<':
      return difference < 0;
    case '=':
      return difference === 0;
  }
}
