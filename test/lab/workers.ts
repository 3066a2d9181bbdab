/** Jobs of the agent in processes of their own. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What a worker is to do: a kernel's folder, a machine by name, and what the one that does it asks beside. */
export interface WorkerJob {
  readonly kind: 'sequences' | 'vectors' | 'selftest' | 'selftest-sequences';
  readonly series: string;
  readonly kernel: string;
  readonly machine: string;
  readonly [more: string]: unknown;
}

/** Runs a job; `say` gets its lines for people, and the answer is its tally. Rejects when the worker ends without one. */
export async function inWorker<Tally>(job: WorkerJob, say: (line: string) => void): Promise<Tally> {
  const script = fileURLToPath(new URL('worker.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  let tally: Tally | null = null;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) tally = JSON.parse(line) as Tally;
    else say(line);
  }
  const code = await ended;
  if (tally === null) throw new Error(`${job.kind} on ${job.machine}: the worker ended with ${code}`);
  return tally;
}
