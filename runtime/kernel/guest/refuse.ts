import { type Errno, errnoNumbers } from '../../../src/model/errno.ts';

/** Errno numbers of the file system that no VFIO operation of the model answers (asm-generic/errno.h). */
const fileErrno = { ENAMETOOLONG: 36, ELOOP: 40 } as const;

const numbers: Readonly<Record<Errno | keyof typeof fileErrno, number>> = { ...errnoNumbers, ...fileErrno };

/** What a refused system call returns: the negative errno. */
export function refuse(errno: Errno | keyof typeof fileErrno): number {
  return -numbers[errno];
}
