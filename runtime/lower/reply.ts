import type { Errno } from '../../src/model/errno.ts';
import { errnoOf } from '../abi/errno.ts';

/** What a kernel answered, as the model says it. */
export type Reply =
  | {
      readonly ok: true;
      readonly value: number;
      readonly out?: { readonly [field: string]: number | bigint | string };
    }
  | { readonly ok: false; readonly errno: Errno | `errno ${number}` | 'blocked' };

export function replyOf(answer: number): Reply {
  const errno = errnoOf(answer);
  return errno === null ? { ok: true, value: answer } : { ok: false, errno };
}
