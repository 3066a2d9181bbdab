import { parentPort, workerData } from 'node:worker_threads';
import { Ground } from '../tests/ground.ts';
import { runTest } from '../tests/run.ts';
import type { Assignment, Reply } from './test-threads.ts';

/**
 * The program of a thread that runs tests: it is told the number of one, says that it goes on whenever something was done,
 * and answers with what became of it. What it throws ends the thread, and whoever started it says so.
 */
if (parentPort === null) throw new Error('this is started as a thread by `vfioplan test`');
const port = parentPort;
const { cases, sources, today, limits } = workerData as Assignment;
const ground = new Ground({ sources, today });

const answer = (reply: Reply): void => port.postMessage(reply);

port.on('message', async (index: number) => {
  const its = cases[index];
  if (its === undefined) throw new Error(`there is no test ${index}`);
  answer({ result: await runTest(its, ground, limits, () => answer({})) });
});
