import type { Fact, Field } from './slot.ts';

/**
 * How the model sees a state while it is watched: objects that look like the state's and note every fact that is asked of
 * them, and every change that is made to them in place. Each question is shown objects of its own, for the model may
 * remember what it was told of an object.
 */

/** What one question asked and changed. */
export class Run {
  reads: Fact[] = [];
  /** Changes within entries, in their order. */
  changes: Change[] = [];
  /** The step is made: nothing changes any more. */
  settled = false;
  number = 0;

  begin(): void {
    this.number += 1;
    this.reads = [];
    this.changes = [];
    this.settled = false;
  }

  note(fact: Fact): void {
    if (fact.noted === this.number) return;
    fact.noted = this.number;
    this.reads.push(fact);
  }

  noted(fact: Fact): boolean {
    return fact.noted === this.number;
  }
}

export interface Change {
  readonly field: Field;
  readonly key: string;
  /** `gone`: it is taken away. */
  readonly value: unknown;
}

export const origin = Symbol('origin');
/** In the place of a value that is taken away. */
export const gone = Symbol('gone');

/** By what an object is watched; undefined for any other. */
export function eyeOf(value: object): object | undefined {
  return (value as { readonly [origin]?: object })[origin];
}

/** One place within an entry of the state. */
export class Window {
  readonly run: Run;
  readonly field: Field;
  readonly parent: Window | null;
  /** What is there, before any change. */
  raw: object = {};
  /** Whether this or anything in it was changed. */
  changed = false;
  /** What was written over its keys, and its length if it is a list. */
  own: Map<string, unknown> | null = null;
  private readonly is: Fact;
  private readonly children = new Map<string, Window>();
  private shown = 0;
  private readonly moving: EntryEye;
  private readonly still: EntryEye;

  constructor(run: Run, field: Field, parent: Window | null) {
    this.run = run;
    this.field = field;
    this.parent = parent;
    this.is = field.fact('is');
    this.moving = new EntryEye(this, true);
    this.still = new EntryEye(this, false);
  }

  /** What stands there as it is shown: in the state that changes, or in the one before. */
  look(value: unknown, moves: boolean): unknown {
    this.run.note(this.is);
    return typeof value === 'object' && value !== null ? this.eye(value, moves).proxy : value;
  }

  eye(value: object, moves: boolean): EntryEye {
    this.touch();
    this.raw = value;
    // What was not changed is the same object in the states before and after.
    const eye = moves || !this.changed ? this.moving : this.still;
    eye.open(value);
    return eye;
  }

  /** Whether it was changed by the present question. */
  dirty(): boolean {
    return this.shown === this.run.number && this.changed;
  }

  noted(): boolean {
    return this.run.noted(this.is);
  }

  child(key: string): Window {
    let child = this.children.get(key);
    if (child === undefined) {
      child = new Window(this.run, this.field.child(key), this);
      this.children.set(key, child);
    }
    return child;
  }

  write(key: string, value: unknown): void {
    this.own ??= new Map();
    this.own.set(key, value);
    this.run.changes.push({ field: this.field, key, value });
    for (let window: Window | null = this; window !== null && !window.changed; window = window.parent)
      window.changed = true;
  }

  private touch(): void {
    if (this.shown === this.run.number) return;
    this.shown = this.run.number;
    this.changed = false;
    this.own = null;
  }
}

/** Stands in for a record or a list within an entry. */
export class EntryEye implements ProxyHandler<object> {
  readonly window: Window;
  proxy: object = {};
  private readonly moves: boolean;
  private opened = 0;

  constructor(window: Window, moves: boolean) {
    this.window = window;
    this.moves = moves;
  }

  open(value: object): void {
    const { number } = this.window.run;
    if (this.opened === number) return;
    this.opened = number;
    this.proxy = new Proxy(value, this);
  }

  get(target: object, key: string | symbol): unknown {
    if (typeof key === 'symbol') return key === origin ? this : Reflect.get(target, key);
    const { window } = this;
    const own = this.moves ? window.own : null;
    if (Array.isArray(target)) {
      if (key === 'length') return this.length(target);
      if (!isIndex(key)) return Reflect.get(target, key);
    }
    const value = own?.get(key);
    if (value !== undefined) return value === gone ? Reflect.get(Object.prototype, key) : value;
    const there = (target as Record<string, unknown>)[key];
    if (isInherited(there) && !Object.hasOwn(target, key)) {
      window.child(key).look(undefined, this.moves);
      return there;
    }
    return window.child(key).look(there, this.moves);
  }

  has(target: object, key: string | symbol): boolean {
    if (typeof key === 'symbol') return Reflect.has(target, key);
    if (Array.isArray(target) && isIndex(key)) return Number(key) < this.length(target);
    return this.keys(target).includes(key) || Reflect.has(Object.getPrototypeOf(target), key);
  }

  ownKeys(target: object): string[] {
    return this.keys(target);
  }

  getOwnPropertyDescriptor(target: object, key: string | symbol): PropertyDescriptor | undefined {
    if (typeof key === 'symbol' || !this.keys(target).includes(key)) return undefined;
    const length = key === 'length' && Array.isArray(target);
    return { value: this.get(target, key), writable: true, enumerable: !length, configurable: !length };
  }

  set(target: object, key: string | symbol, value: unknown): boolean {
    const { window } = this;
    if (!this.moves || window.run.settled || typeof key === 'symbol') throw new TypeError(unchangeable);
    if (Array.isArray(target)) {
      const length = this.length(target);
      if (key === 'length') this.cut(target, length, Number(value));
      else if (Number(key) >= length) window.write('length', Number(key) + 1);
    }
    if (key !== 'length' || !Array.isArray(target)) window.write(key, value === undefined ? gone : value);
    return true;
  }

  deleteProperty(target: object, key: string | symbol): boolean {
    const { window } = this;
    if (!this.moves || window.run.settled || typeof key === 'symbol') throw new TypeError(unchangeable);
    if (Array.isArray(target)) this.length(target);
    window.write(key, gone);
    return true;
  }

  defineProperty(target: object, key: string | symbol, description: PropertyDescriptor): boolean {
    return this.set(target, key, description.value);
  }

  /** As it is now, without windows: everything in it counts as asked. */
  plain(): unknown {
    const { window } = this;
    const target = window.raw;
    if (!this.moves || !window.changed) {
      window.run.note(window.field.fact('content'));
      return target;
    }
    if (Array.isArray(target)) {
      return Array.from({ length: this.length(target) }, (_, place) => plain(this.get(target, `${place}`)));
    }
    return Object.fromEntries(this.keys(target).map((key) => [key, plain(this.get(target, key))]));
  }

  private cut(target: readonly unknown[], from: number, to: number): void {
    for (let place = from - 1; place >= to; place -= 1) this.window.write(`${place}`, gone);
    if (to !== this.length(target)) this.window.write('length', to);
  }

  private length(target: readonly unknown[]): number {
    const { window } = this;
    window.run.note(window.field.fact('length'));
    const own = this.moves ? window.own?.get('length') : undefined;
    return own === undefined ? target.length : Number(own);
  }

  private keys(target: object): string[] {
    const { window } = this;
    if (Array.isArray(target)) {
      const places = Array.from({ length: this.length(target) }, (_, place) => `${place}`);
      return [...places, 'length'];
    }
    window.run.note(window.field.fact('keys'));
    const keys = Object.keys(target);
    if (!this.moves || window.own === null) return keys;
    const kept = keys.filter((key) => window.own?.get(key) !== gone);
    for (const [key, value] of window.own) if (value !== gone && !keys.includes(key)) kept.push(key);
    return kept;
  }
}

export const unchangeable = 'a state is changed in place only while its step is made';

/** Whether a record may have got it from where records come from, or not at all: no state has functions. */
function isInherited(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || value === Object.prototype;
}

/** Whether it may be an index; names of methods and -1 are none. */
export function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57;
}

/** What the model made, without windows. */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const eye = eyeOf(value);
  if (eye instanceof EntryEye) return eye.plain();
  if (eye !== undefined) throw new Error('a table of the state within an entry');
  if (Array.isArray(value)) return value.map(plain);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copy[key] = plain((value as Record<string, unknown>)[key]);
  return copy;
}
