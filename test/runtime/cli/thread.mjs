// A thread that does to each test what the test's name says, and answers with an empty result where that is no misdeed.
import { parentPort, workerData } from 'node:worker_threads';

const { cases } = workerData;

/** Ends when another thread is at the same at the same time. */
function meeting() {
  const channel = new BroadcastChannel('vfioplan: two tests at once');
  return new Promise((resolve) => {
    channel.onmessage = () => {
      channel.postMessage('I am here, too');
      channel.close();
      resolve();
    };
    channel.postMessage('I am here');
  });
}

parentPort.on('message', async (index) => {
  const { file, host, node } = cases[index];
  const { name } = node;
  switch (name.text) {
    case 'ends':
      process.exit(7);
      break;
    case 'throws':
      throw new Error('a bug\nin two lines');
    case 'hangs':
      for (;;);
    case 'meets another':
      await meeting();
      break;
    case 'takes its time':
      for (const until = Date.now() + 5000; Date.now() < until; ) {
        parentPort.postMessage({});
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      }
      break;
  }
  const its = { name: name.text, host, place: { file, span: name.span } };
  const result = { ...its, passed: true, diagnostics: [], trace: [], exercised: [], refusals: [] };
  parentPort.postMessage({ result });
});
