/** Names of the errno numbers that a system call answers with. The numbers themselves are the model's. */
import { type Errno, errnoNumbers } from '../../src/model/errno.ts';

export const errno = errnoNumbers;

const names = new Map<number, Errno>(
  Object.entries(errnoNumbers).map(([name, number]) => [number, name as Errno]),
);

/** The name of a call's answer, `null` when it did not fail; a failure that VFIO cannot give is `errno 36`. */
export function errnoOf(answer: number): Errno | `errno ${number}` | null {
  if (answer >= 0) return null;
  return names.get(-answer) ?? `errno ${-answer}`;
}
