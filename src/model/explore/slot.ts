/**
 * A state as numbers: each part that is written as a whole has a slot, and each value that was ever there a code. What is
 * told apart of a value (its fields, their fields, lengths) are facts, numbers too.
 */

export type Half = 0 | 1;

/** An element of a table, the length of a table, or a field of the state that is no table. Code 0 is nothing. */
export class Slot {
  readonly half: Half;
  /** Among those of its half. */
  readonly place: number;
  /** By code. */
  readonly values: unknown[] = [undefined];
  readonly whole: Field;
  private readonly codes = new Map<string, number>();
  private readonly facts: Fact[] = [];
  private readonly facing: Facing;
  private nullCode = 0;
  /** Facts of which the answers differ: where each stands, and for one code after another the answers of all of them. */
  private readonly places: number[] = [];
  private readonly varying: Fact[] = [];
  private readonly shown: number[] = [];

  constructor(half: Half, place: number, facing: Facing) {
    this.half = half;
    this.place = place;
    this.facing = facing;
    this.whole = new Field(this, null, '');
  }

  /** Writes what is so when the slot has this code. */
  show(code: number, facts: Int32Array): void {
    const { places, shown } = this;
    const from = code * places.length;
    for (let each = 0; each < places.length; each += 1)
      facts[places[each] as number] = shown[from + each] as number;
  }

  code(value: unknown): number {
    if (value === undefined) return 0;
    const text = textOf(value);
    const known = this.codes.get(text);
    if (known !== undefined) return known;
    const code = this.values.push(value) - 1;
    this.codes.set(text, code);
    for (const fact of this.facts) fact.learn(code, value);
    for (const fact of this.varying) this.shown.push(fact.answers[code] as number);
    for (const fact of this.facts) this.face(fact);
    return code;
  }

  /** The code of null. */
  get ofNull(): number {
    if (this.nullCode === 0) this.nullCode = this.code(null);
    return this.nullCode;
  }

  fact(field: Field, of: Asked): Fact {
    const fact = new Fact(this, field, of);
    this.facts.push(fact);
    this.values.forEach((value, code) => {
      fact.learn(code, value);
    });
    this.face(fact);
    return fact;
  }

  private face(fact: Fact): void {
    if (fact.place !== -1 || fact.count < 2) return;
    this.facing.vary(fact);
    this.varying.push(fact);
    this.places.push(fact.place);
    this.shown.length = 0;
    for (let code = 0; code < this.values.length; code += 1)
      for (const { answers } of this.varying) this.shown.push(answers[code] as number);
  }
}

/** Who gives places to facts that vary. */
export interface Facing {
  vary(fact: Fact): void;
}

export type Asked = 'is' | 'length' | 'keys' | 'content';

const nothing = Symbol('nothing');

/** Something that can be asked of a slot's value. */
export class Fact {
  readonly slot: Slot;
  /** By code of the slot's value. */
  readonly answers: number[] = [];
  /** Where it stands among all that vary; -1: it never did. */
  place = -1;
  /** Leaves that rely on it from before it varied. */
  readonly relying: number[] = [];
  /** Roots of trees with leaves that rely on such leaves. */
  readonly trees = new Set<number>();
  /** The trace that noted it last. */
  noted = 0;
  private readonly numbers = new Map<unknown, number>();
  private readonly field: Field;
  private readonly asked: Asked;

  constructor(slot: Slot, field: Field, asked: Asked) {
    this.slot = slot;
    this.field = field;
    this.asked = asked;
  }

  get count(): number {
    return this.numbers.size;
  }

  learn(code: number, value: unknown): void {
    const answer = this.answer(value);
    let number = 0;
    // Where there is nothing to ask, something else was noted that says so: any answer does.
    if (answer !== nothing) {
      number = this.numbers.get(answer) ?? this.numbers.size;
      this.numbers.set(answer, number);
    }
    this.answers[code] = number;
  }

  private answer(value: unknown): unknown {
    const found = this.field.within(value);
    if (found === nothing) return nothing;
    switch (this.asked) {
      case 'is':
        return kindOf(found);
      case 'length':
        return Array.isArray(found) ? found.length : nothing;
      case 'keys':
        return isRecord(found) ? Object.keys(found).join() : nothing;
      case 'content':
        return found === undefined ? undefined : textOf(found);
    }
  }
}

/** A path within a slot's value. */
export class Field {
  readonly slot: Slot;
  private readonly parent: Field | null;
  private readonly key: string;
  private readonly children = new Map<string, Field>();
  private readonly facts: Partial<Record<Asked, Fact>> = {};
  /** The number of what is written there: by a value that is no object, or by its text. */
  readonly changes = new Map<unknown, number>();
  readonly made = new Map<string, number>();

  constructor(slot: Slot, parent: Field | null, key: string) {
    this.slot = slot;
    this.parent = parent;
    this.key = key;
  }

  child(key: string): Field {
    let child = this.children.get(key);
    if (child === undefined) {
      child = new Field(this.slot, this, key);
      this.children.set(key, child);
    }
    return child;
  }

  fact(asked: Asked): Fact {
    let fact = this.facts[asked];
    if (fact === undefined) {
      fact = this.slot.fact(this, asked);
      this.facts[asked] = fact;
    }
    return fact;
  }

  within(value: unknown): unknown {
    if (this.parent === null) return value;
    const above = this.parent.within(value);
    if (typeof above !== 'object' || above === null) return nothing;
    return Object.hasOwn(above, this.key) ? (above as Record<string, unknown>)[this.key] : undefined;
  }
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'a record';
  if (typeof value === 'string') return `"${value}`;
  return Object.is(value, -0) ? '-0' : value;
}

/** The same for the same. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
      return `{${Object.entries(value)
        .map(([key, field]) => `${JSON.stringify(key)}:${textOf(field)}`)
        .join()}}`;
    default:
      return Object.is(value, -0) ? '-0' : `${value}`;
  }
}
