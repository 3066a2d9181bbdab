/**
 * Nested page tables and dirty pages on iommufd's self-test: the vectors, of which the table, the model and the kernel say
 * the same, and random sequences.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { iommufdOf } from '../../src/model/files.ts';
import type { Op } from '../../src/model/op.ts';
import type { Result } from '../../src/model/outcome.ts';
import { same } from '../../src/model/same.ts';
import { ROOT } from '../../src/model/world.ts';
import { SelftestSession } from '../src/model/selftest-session.ts';
import { selftestVectors } from '../src/model/vectors-selftest.ts';
import { Guest, packAgent } from './agent/guest.ts';
import { toJson } from './calls.ts';
import { machineNamed } from './machines.ts';
import { SelftestKernel } from './selftest-kernel.ts';
import { memoryAt, vectorActors } from './vector-session.ts';
import type { VectorTally } from './vectors.ts';

/** Another IOMMU would be asked for the self-test's devices too, and refuse them: nothing on it has one. */
const machine = machineNamed('none');
const bootSeconds = 3600;

/** A hand on the model and on the kernel at once. */
export class BothSession extends SelftestSession {
  readonly differs: string[] = [];
  readonly kernel: SelftestKernel;

  constructor(kernel: SelftestKernel) {
    super('6.12');
    this.kernel = kernel;
  }

  override result(asked: Op): Result {
    const op = 'vaddr' in asked ? { ...asked, vaddr: memoryAt(asked.vaddr, asked.memory) } : asked;
    const { world, state: before } = this;
    const result = super.result(op);
    const found = this.kernel.follow({ world, before, op, result, after: this.state });
    this.differs.push(...found.map((each) => `${toJson(op)}: ${each}`));
    return result;
  }

  protected override write(fd: number, hwpt: number, iova: bigint): void {
    const tableAt = () => iommufdOf(this.state, { pid: ROOT, fd })?.objects[hwpt - 1];
    const before = tableAt();
    super.write(fd, hwpt, iova);
    const table = tableAt();
    const marked = table?.kind === 'hwpt' && table.dirty.includes(iova);
    const tracking = before?.kind === 'hwpt' && before.tracking;
    const said =
      before?.kind !== 'hwpt' ? 'missing' : tracking ? (marked ? 'marked' : 'unmapped') : 'untracked';
    this.differs.push(...this.kernel.write(fd, hwpt, iova, said));
  }
}

/** What the kernel warns of itself: the self-test checks its own page tables. */
const warnings = /WARNING|BUG:/;

/** A booted kernel of the self-test, on which one session after another acts. */
export class SelftestBench {
  private readonly folder = mkdtempSync(join(tmpdir(), 'vfioplan-selftest-'));
  private readonly guest: Guest;

  constructor(kernel: string) {
    this.guest = Guest.start(kernel, packAgent(kernel, this.folder), machine, bootSeconds);
  }

  /** A session from the beginning to its end; what differed is among its own words then. */
  session<T>(act: (session: BothSession) => T): { readonly session: BothSession; readonly answer: T } {
    const process = this.guest.spawn(vectorActors[0].pid, vectorActors[0]);
    const session = new BothSession(new SelftestKernel(process));
    const answer = act(session);
    session.kernel.end();
    this.guest.end();
    const warned = this.guest.log().filter((line) => warnings.test(line));
    session.differs.push(...warned.map((line) => `the kernel logs ${line}`));
    return { session, answer };
  }

  stop(): void {
    this.guest.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function selftest({ kernel }: { readonly kernel: string }, say: (line: string) => void): VectorTally {
  const bench = new SelftestBench(kernel);
  const began = Date.now();
  const ran: string[] = [];
  const failures: string[] = [];
  let operations = 0;
  try {
    for (const { id, sequence, run, expected } of selftestVectors) {
      const { session, answer: said } = bench.session(run);
      ran.push(id);
      operations += session.kernel.asked;
      const table = same(said, expected)
        ? []
        : [`the model says ${toJson(said)}, the table ${toJson(expected)}`];
      const differs = [...table, ...session.differs];
      if (differs.length === 0) continue;
      const words = `${id} (${sequence}): ${differs.join('; ')}`;
      failures.push(words);
      say(`  ${words}`);
    }
  } finally {
    bench.stop();
  }
  const seconds = Math.round((Date.now() - began) / 1000);
  return { ran, operations, seconds, failures, unasked: [] };
}
