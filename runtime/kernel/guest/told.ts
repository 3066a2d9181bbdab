/**
 * Requests that ask what a device is. What the model answers follows from the device and the kernel alone (the tests hold
 * that it reads nothing else), so it is asked once for each device, index and size, and its answer kept as it lies in the
 * structure.
 */
import type { Field, Layout } from '../../abi/layout.ts';
import type { Argument } from './open-file.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { argszOf, field, type On, put } from './structures.ts';

type Question = 'device.region_info' | 'device.irq_info';

/** An answer. */
export interface Told {
  /** The whole structure: the size and the index with which it was asked are part of it. */
  readonly words: Int32Array;
  readonly value: number;
  readonly flags: number;
}

/** What one device has told, by question and index. */
export type Answers = { readonly [op in Question]: (Told | undefined)[] };

/** By the device's place. */
export class Tellers {
  private readonly answers: (Answers | undefined)[] = [];

  of(device: number): Answers {
    const known = this.answers[device];
    if (known !== undefined) return known;
    const none: Answers = { 'device.region_info': [], 'device.irq_info': [] };
    this.answers[device] = none;
    return none;
  }
}

/** A file that may be asked; `answers` are its device's, or null where the model has to say whether it may. */
export type Telling = On & { readonly answers: Answers | null };

/** The request's handler: fills the structure in and gives what was told, or the negative errno. */
export function asksDevice<Fields extends { readonly [name: string]: Field }>(
  op: Question,
  { size, fields }: Layout<Fields & { readonly index: Field }>,
  names: readonly (keyof Fields & string)[],
): (file: Telling, process: Process, argument: Argument) => Told | number {
  const wordOfIndex = fields.index.offset / 4;
  const learn = ({ machine, fd, id, answers }: Telling, { pid }: Process, argument: Argument) => {
    const its = argument.structure(size);
    const index = its === null ? 0 : its.getUint32(fields.index.offset, true);
    const argsz = argszOf(its ?? argument.structure(4));
    const answer = machine.ask({ op, pid, fd, argsz, index }, id);
    if (typeof answer === 'number') return answer;
    if (its === null) return refuse('EFAULT');
    for (const name of names) put(its, fields[name] as Field, field(answer, name));
    const words = new Int32Array(size / 4);
    for (let at = 0; at < words.length; at += 1) words[at] = its.getInt32(at * 4, true);
    const told: Told = { words, value: answer.value, flags: Number(field(answer, 'flags')) };
    if (answers !== null) answers[op][index] = told;
    return told;
  };
  return (file, process, argument) => {
    const its = argument.words(size);
    const { answers } = file;
    if (its === null || answers === null) return learn(file, process, argument);
    const told = answers[op][(its[wordOfIndex] as number) >>> 0];
    if (told === undefined || told.words[0] !== its[0]) return learn(file, process, argument);
    its.set(told.words);
    return told;
  };
}
