/** What a kernel answered against what the model foretold. */
import type { Reply } from '../../runtime/lower/lower.ts';
import type { Op } from '../../src/model/op.ts';
import type { Result } from '../../src/model/outcome.ts';
import { longest, mustDiffer } from './differences.ts';

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
 * Where the memory of virtual functions lies (drivers/pci/iov.c:sriov_init), and that it is decoded from now on, is the bus's
 * affair, as that of all BARs; what an emulated one has of an interrupt pin, the emulator's.
 */
const layout = /: VF BAR \d|: enabling device \(|: Hardware bug: VF reports bogus INTx pin/;

/** What the model says that an operation logs. */
export interface Logged {
  readonly op: Op;
  readonly lines: readonly string[];
}

/** Where one operation touches several devices, its lines are compared without their order. */
export function logsDiffer(
  expected: readonly Logged[],
  seen: readonly string[],
  perhaps: readonly Logged[] = [],
): readonly string[] {
  const worded = (lines: readonly string[]) =>
    lines
      .filter((line) => told.test(line) && !layout.test(line))
      .map((line) => line.replace(/ \(.*:\d+\)$/, ''));
  const said = expected.map(({ op, lines }) => ({
    op,
    lines: worded(lines).filter(
      (line) => line.length <= longest || !mustDiffer({ op, field: 'log', is: '', said: line }),
    ),
  }));
  const is = worded(seen).filter((line) => line.length <= longest);
  const all = said.flatMap(({ lines }) => lines);
  const left = without(is, all, perhaps);
  if (left !== null && allAgree(said, left)) return [];
  return [`logs ${JSON.stringify(left ?? is)}, the model says ${JSON.stringify(all)}`];
}

/** Whether the log is what the operations say, one after another. */
function allAgree(said: readonly Logged[], is: readonly string[]): boolean {
  let at = 0;
  let same = true;
  for (const { op, lines } of said) {
    same &&= agree(op, is.slice(at, at + lines.length), lines);
    at += lines.length;
  }
  return same && at === is.length;
}

/** What is left of the log without lines that only perhaps are in it; null: one is missing that must not be. */
function without(
  seen: readonly string[],
  said: readonly string[],
  perhaps: readonly Logged[],
): readonly string[] | null {
  const left = [...seen];
  const count = (all: readonly string[], line: string) => all.filter((other) => other === line).length;
  for (const { op, lines } of perhaps) {
    for (const line of lines) {
      if (count(left, line) > count(said, line)) left.splice(left.lastIndexOf(line), 1);
      else if (!mustDiffer({ op, field: 'log', is: '', said: line })) return null;
    }
  }
  return left;
}

/** The same lines, but for pairs of others that must differ, and further ones that must. */
function agree(op: Op, is: readonly string[], said: readonly string[]): boolean {
  const left = [...said];
  const strange: string[] = [];
  for (const line of is) {
    const place = left.indexOf(line);
    if (place === -1) strange.push(line);
    else left.splice(place, 1);
  }
  return (
    strange.length >= left.length &&
    strange.every((line, place) => mustDiffer({ op, field: 'log', is: line, said: left[place] ?? '' }))
  );
}
