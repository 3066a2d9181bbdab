import { z } from 'zod';

/** What the operations of a trace are made of; `trace.ts` tells by these definitions what a field means. */

const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/)
  .meta({ id: 'TraceName' });

export const descriptor = z
  .union([name, z.int().min(-2147483648).max(2147483647)])
  .describe('the name that the operation gave which opened it; a number stands for itself')
  .meta({ id: 'TraceDescriptor' });

export const processName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/)
  .describe('a process that an earlier record introduced')
  .meta({ id: 'TraceProcessName' });

/** Numbers of more than 53 bits do not survive JSON readers. */
export const wide = z
  .string()
  .regex(/^0x[0-9a-f]{1,16}$/)
  .describe('an unsigned number of 64 bits, in hexadecimal')
  .meta({ id: 'TraceWide' });

/** What a call passes as a C string: no NUL in it. */
export const text = z
  .string()
  .max(8192)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly this character ends a C string
  .regex(/^[^\u0000]*$/);

/** 32 bits in a register: a negative number is the same bits. */
export const word = z.int().min(-2147483648).max(4294967295);

/** An ioctl's argument by value, an unsigned long. */
export const register = z.int();

/** `null`: a pointer that cannot be read. Left out: as large as the structure. */
const argsz = z.union([word, z.null()]).exactOptional();

export const as = name
  .exactOptional()
  .describe('names the descriptor that it answers, for the operations that follow');

const pgsize = wide.exactOptional();
const bitmapSize = wide.exactOptional();
const bitmap = z
  .enum(['writable', 'read-only', 'none', 'kernel', 'unreadable'])
  .exactOptional()
  .describe('what stands behind the address of a bitmap of dirty pages');

export const on = { fd: descriptor };
export const call = { fd: descriptor, argsz };
export const dirty = { flags: word, iova: wide, size: wide, pgsize, bitmapSize, bitmap };
export const structure = {
  ...call,
  tail: z.boolean().exactOptional().describe('bytes that are not 0 stand behind the structure'),
};
export const reserved = { ...structure, reserved: word.exactOptional() };

export const memory = z
  .enum(['writable', 'untouched', 'read-only', 'none'])
  .describe('what stands behind vaddr');

export const mapping = { ...call, flags: word, vaddr: wide, iova: wide, size: wide, memory };
