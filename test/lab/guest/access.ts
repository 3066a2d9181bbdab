/**
 * Makes the calls that its argument lists, as whoever runs it, and prints what each answered. Descriptors live as long
 * as this process, which ends when its standard input does: it is one user of one device.
 */
import { linuxBackend } from '../../../runtime/linux/linux.ts';
import { type Answer, type Descriptors, fromJson, perform, toJson, toOp } from '../calls.ts';
import type { Line } from '../lines.ts';

const backend = await linuxBackend();
const descriptors: Descriptors = new Map();
const answers: Answer[] = [];
for (const { call, as } of fromJson<readonly Line[]>(process.argv[2] ?? '[]')) {
  const answer = perform(backend, toOp(call, 0, descriptors));
  if (as !== undefined && answer.errno === null) descriptors.set(as, answer.value);
  answers.push(answer);
}
process.stdout.write(`${toJson(answers)}\n`);
process.stdin.resume();
