/** What the lab asks of every kernel through the agent: the test vectors, and a share of random sequences. */
import { type Theme, themes } from '../conformance/themes.ts';
import { machines } from './machines.ts';
import type { VectorTally } from './vectors.ts';
import { inWorker, type WorkerJob } from './workers.ts';

interface AgentJob {
  readonly name: string;
  readonly run: () => Promise<boolean>;
}

/** The same sequences in every run, unless another seed is asked for; about three minutes of two idle processors in all. */
const SEED = Number(process.env['VFIOPLAN_LAB_SEED'] ?? 20261122);
const SEQUENCES = Number(process.env['VFIOPLAN_LAB_SEQUENCES'] ?? 60);
/** Of each theme: for one of all machines. */
const THEMED = Math.ceil(SEQUENCES / 4);

/** On these machines; the others have nothing that they lack. */
const vectorMachines = ['none', 'outside'];

/** What is drawn of everything has no virtual machines, and is asked where the same devices are without KVM. */
const ordinary = Object.keys(machines).filter((name) => machines[name]?.virtualises !== true);

export function agentJobs(kernels: Readonly<Record<string, string>>): readonly AgentJob[] {
  return Object.entries(kernels).flatMap(([series, kernel]) =>
    series.endsWith('selftest') ? selftestJobs(series, kernel) : jobsOf(series, kernel),
  );
}

/** Its devices are none of a machine's. */
function selftestJobs(series: string, kernel: string): readonly AgentJob[] {
  const machine = 'selftest';
  return [
    vectorJob({ kind: 'selftest', series, kernel, machine }),
    sequenceJob({
      ...{ kind: 'selftest-sequences', series, kernel, machine },
      ...{ seed: SEED, from: 0, count: SEQUENCES, minutes: 60 },
    }),
  ];
}

function jobsOf(series: string, kernel: string): readonly AgentJob[] {
  return [
    ...vectorMachines.map((machine) => vectorJob({ kind: 'vectors', series, kernel, machine })),
    ...ordinary.map((machine) =>
      sequenceJob({
        ...{ kind: 'sequences', series, kernel, machine },
        ...{ seed: SEED, from: 0, count: SEQUENCES, minutes: 60 },
      }),
    ),
    ...Object.values(themes).map((theme) =>
      sequenceJob({
        ...{ kind: 'sequences', series, kernel, machine: machineOf(theme), theme: theme.name },
        ...{ seed: SEED, from: 0, count: THEMED, minutes: 60 },
      }),
    ),
  ];
}

/** Where a theme has most to do. */
function machineOf({ name }: Theme): string {
  if (name === 'waits') return 'virtual';
  return Object.hasOwn(machines, name) ? name : 'outside';
}

function vectorJob(job: WorkerJob): AgentJob {
  const name = `vectors on ${job.series}, machine ${job.machine}`;
  return {
    name,
    run: async () => {
      const { ran, operations, seconds, failures, unasked } = await inWorker<VectorTally>(
        job,
        () => undefined,
      );
      const holds = ran.length > 0 && failures.length === 0 && unasked.length === 0;
      const words = `table = model = kernel: ${ran.length - failures.length} of ${ran.length} vectors`;
      return told(name, holds, `${words}, ${operations} operations (${seconds} s)`, [
        ...failures,
        ...unasked,
      ]);
    },
  };
}

interface Tally {
  readonly sequences: number;
  readonly operations: number;
  readonly seconds: number;
  readonly disagreements: readonly string[];
}

function sequenceJob(job: WorkerJob): AgentJob {
  const { theme } = job;
  const about = theme === undefined ? '' : ` about ${theme}`;
  const name = `sequences${about} on ${job.series}, machine ${job.machine}`;
  return {
    name,
    run: async () => {
      const { sequences, operations, seconds, disagreements } = await inWorker<Tally>(job, () => undefined);
      const holds = sequences === job['count'] && disagreements.length === 0;
      const words = `model = kernel: ${sequences} random sequences of seed ${SEED}, ${operations} operations (${seconds} s)`;
      return told(name, holds, words, disagreements);
    },
  };
}

function told(name: string, holds: boolean, words: string, failures: readonly string[]): boolean {
  process.stdout.write(`${holds ? 'ok  ' : 'FAIL'} ${name}: ${words}\n`);
  for (const failure of failures) process.stdout.write(`     - ${failure.slice(0, 3000)}\n`);
  return holds;
}
