/** What a kernel answered against what the model foretold. */
import type { Reply } from '../../runtime/lower/lower.ts';
import type { Op } from '../../src/model/op.ts';
import type { Result } from '../../src/model/outcome.ts';
import { mustDiffer } from './differences.ts';

/** `meant`: the file is of the kind that the operation is for; on another one its number means something else. */
export function answersDiffer(op: Op, result: Result, reply: Reply, meant: boolean): readonly string[] {
  if (!result.ok) {
    const said = 'blocks' in result ? 'blocked' : result.errno;
    const is = reply.ok ? reply.value : reply.errno;
    if (is === said) return [];
    return [`answers ${is}, the model says ${said} (${result.guard})`];
  }
  if (!reply.ok) return [`answers ${reply.errno}, the model says ${result.value}`];
  const found: string[] = [];
  if (reply.value !== result.value) found.push(`answers ${reply.value}, the model says ${result.value}`);
  if (!meant || !roomy(op)) return found;
  for (const [field, said] of Object.entries(result.out ?? {})) {
    const is = reply.out?.[field];
    if (is !== said && !mustDiffer({ op, field, is, said }))
      found.push(`writes ${field} ${is}, the model says ${said}`);
  }
  return found;
}

/** Fields come back only from requests whose structure has room for what they answer. */
function roomy(op: Op): boolean {
  return !('argsz' in op) || op.argsz === undefined || op.argsz === null || op.argsz >= 24;
}

/** Lines in which VFIO, the IOMMU code and the driver core tell what was done; host drivers tell what they like. */
const told =
  /vfio|VFIO|iommu group|VF token|device request|reset method|failed with error|interrupt remapping|SR-IOV|\bVFs\b|MEMLOCK|1:1 IOMMU|RMRR/;

/**
 * `expected` has a list for each operation: where one operation touches several devices, the kernel goes by the order
 * in which they were bound, last first (drivers/base/dd.c:driver_detach), which no state tells.
 */
export function logsDiffer(
  expected: readonly (readonly string[])[],
  seen: readonly string[],
): readonly string[] {
  const worded = (line: string) => line.replace(/ \(.*:\d+\)$/, '');
  const is = seen.filter((line) => told.test(line)).map(worded);
  const groups = expected.map((lines) =>
    lines
      .filter((line) => told.test(line))
      .map(worded)
      .sort(),
  );
  const said = groups.flat();
  const sorted: string[] = [];
  for (const { length } of groups) sorted.push(...is.slice(sorted.length, sorted.length + length).sort());
  sorted.push(...is.slice(sorted.length));
  if (sorted.join('\n') === said.join('\n')) return [];
  return [`logs ${JSON.stringify(is)}, the model says ${JSON.stringify(said)}`];
}
