import { grown } from './ints.ts';
import type { Fact, Half } from './slot.ts';

/**
 * Answers that were worked out once, by the facts that they rely on: decision trees in one table of integers.
 *
 * A stretch of a tree is how many facts are tested in a row, of each its place and the answer that it must have, and what
 * comes then: ~leaf; a fork, which is the place of a fact, how many answers it has room for and for each the stretch that
 * follows, 0 where none is known; or `jump` and a further stretch.
 */
export class Trees {
  /** By the place of a fact that varies: its present answer. */
  facts: Int32Array = new Int32Array(256);
  /** How often leaves came to rely on more than before. */
  changes = 0;
  private nodes: Int32Array = new Int32Array(1 << 16);
  private used = 1;
  private readonly varying: Fact[] = [];
  /** Where in the table each leaf stands. */
  private readonly hangs: number[] = [];
  /** What `begin` began: the facts, the tree, and by the place of any fact in which round it was noted last. */
  path: Fact[] = [];
  private tracing = 0;
  private round = 0;
  private readonly noted: number[] = [];
  /** By leaf: the facts that did not vary when it was grown, and the tree that relied on it last. */
  private readonly untested: (readonly Fact[])[] = [];
  private readonly reliedOn: number[] = [];
  /** By root how many leaves a tree has. */
  private readonly leaves = new Map<number, number>();
  /** By the place of a fact: the leaf that was grown last and tests it. */
  private readonly tested: number[] = [];

  /** A tree without leaves: where its first stretch hangs. */
  plant(): number {
    return this.take(1);
  }

  /** The leaf to which the present facts lead from the root of a tree; -1 where they lead to none. */
  find(root: number): number {
    return this.follow(this.nodes[root] as number);
  }

  /** The same from a stretch on. */
  follow(stretch: number): number {
    const { nodes, facts } = this;
    let at = stretch;
    while (at !== 0) {
      const end = at + 1 + 2 * (nodes[at] as number);
      for (let test = at + 1; test < end; test += 2)
        if (facts[nodes[test] as number] !== nodes[test + 1]) return -1;
      const next = nodes[end] as number;
      if (next < 0) return ~next;
      if (next >= jump) {
        at = next - jump;
        continue;
      }
      const answer = facts[next] as number;
      at = answer < (nodes[end + 1] as number) ? (nodes[end + 2 + answer] as number) : 0;
    }
    return -1;
  }

  /**
   * The last stretch of a tree to which the present facts of one half lead; 0 where nothing was learned. What a stretch says
   * stays true until `changes` grows, though it may come to know less than its tree.
   */
  findBy(root: number, half: Half): number {
    const { nodes, facts, varying } = this;
    let at = nodes[root] as number;
    while (at !== 0) {
      const end = at + 1 + 2 * (nodes[at] as number);
      for (let test = at + 1; test < end; test += 2) {
        const place = nodes[test] as number;
        if ((varying[place] as Fact).slot.half !== half) return at;
        if (facts[place] !== nodes[test + 1]) return 0;
      }
      const next = nodes[end] as number;
      if (next < 0) return at;
      if (next >= jump) {
        at = next - jump;
        continue;
      }
      if ((varying[next] as Fact).slot.half !== half) return at;
      const answer = facts[next] as number;
      at = answer < (nodes[end + 1] as number) ? (nodes[end + 2 + answer] as number) : 0;
    }
    return 0;
  }

  /** Begins to note by what leaves are found, for a leaf of the tree with this root that relies on all of them. */
  begin(root: number): void {
    this.path = [];
    this.tracing = root;
    this.round += 1;
  }

  /** As `find`, and notes the facts that are tested; on those that the leaf relies on untested the other tree relies too. */
  trace(root: number): number {
    const { nodes, facts } = this;
    let at = nodes[root] as number;
    while (at !== 0) {
      const end = at + 1 + 2 * (nodes[at] as number);
      for (let test = at + 1; test < end; test += 2) {
        const place = nodes[test] as number;
        this.note(place);
        if (facts[place] !== nodes[test + 1]) return -1;
      }
      const next = nodes[end] as number;
      if (next < 0) {
        if (this.reliedOn[~next] !== this.tracing) this.rely(~next);
        return ~next;
      }
      if (next >= jump) {
        at = next - jump;
        continue;
      }
      this.note(next);
      const answer = facts[next] as number;
      at = answer < (nodes[end + 1] as number) ? (nodes[end + 2 + answer] as number) : 0;
    }
    return -1;
  }

  private note(place: number): void {
    if (this.noted[place] === this.round) return;
    this.noted[place] = this.round;
    this.path.push(this.varying[place] as Fact);
  }

  private rely(leaf: number): void {
    this.reliedOn[leaf] = this.tracing;
    for (const fact of this.untested[leaf] as readonly Fact[])
      if (fact.place === -1) fact.trees.add(this.tracing);
  }

  /** A new leaf for the present facts, of which those in `reads` matter. */
  grow(root: number, reads: readonly Fact[], from: number): number {
    const leaf = this.hangs.length;
    const hangs = this.open(root, leaf);
    const tests: Fact[] = [];
    const untested: Fact[] = [];
    for (let read = from; read < reads.length; read += 1) {
      const fact = reads[read] as Fact;
      if (fact.place === -1) {
        fact.relying.push(leaf);
        untested.push(fact);
      } else if (this.tested[fact.place] !== leaf) tests.push(fact);
    }
    // A stretch of its own for what begins with the other half, so that `findBy` comes so far.
    const other = tests.findIndex(({ slot }) => slot.half !== tests[0]?.slot.half);
    let at = hangs;
    for (const some of other === -1 ? [tests] : [tests.slice(0, other), tests.slice(other)])
      at = this.hang(at, some);
    this.nodes[at] = ~leaf;
    this.hangs.push(at);
    this.untested.push(untested);
    this.leaves.set(root, (this.leaves.get(root) ?? 0) + 1);
    this.reliedOn.push(0);
    return leaf;
  }

  /** Hangs a stretch of tests somewhere, and answers where what comes then is to hang. */
  private hang(hangs: number, tests: readonly Fact[]): number {
    const stretch = this.take(2 * tests.length + 2);
    this.point(hangs, stretch);
    let at = stretch;
    this.nodes[at++] = tests.length;
    for (const { place } of tests) {
      this.nodes[at++] = place;
      this.nodes[at++] = this.facts[place] as number;
    }
    this.nodes[at] = jump;
    return at;
  }

  /** Gives a place to a fact that had one answer only as yet; `present` is the one that it has now. */
  vary(fact: Fact, present: number): void {
    fact.place = this.varying.push(fact) - 1;
    if (fact.place >= this.facts.length) {
      this.facts = grown(this.facts, 2 * fact.place);
    }
    this.tested.push(-1);
    this.noted.push(0);
    this.facts[fact.place] = present;
    if (fact.relying.length > 0 || fact.trees.size > 0) this.changes += 1;
    for (const leaf of fact.relying) {
      const stretch = this.take(4);
      this.nodes.set([1, fact.place, 0, ~leaf], stretch);
      this.nodes[this.hangs[leaf] as number] = jump + stretch;
      this.hangs[leaf] = stretch + 3;
    }
    fact.relying.length = 0;
    for (const root of fact.trees) this.replant(root, fact);
    fact.trees.clear();
  }

  /**
   * A tree relied on a fact from before it varied: what it has was found while the fact had its first answer. A small one
   * begins anew, so that facts stay in the order in which they are asked; of a large one it is the first fact from now on.
   */
  private replant(root: number, fact: Fact): void {
    const first = this.nodes[root] as number;
    if (first === 0) return;
    if ((this.leaves.get(root) ?? 0) < small) {
      this.nodes[root] = 0;
      this.leaves.set(root, 0);
      return;
    }
    const fork = this.take(3 + fact.count);
    this.nodes.set([0, fact.place, fact.count, first], fork);
    this.nodes[root] = fork;
  }

  /** Where the present facts leave what is known, made so that a stretch can hang there; marks what is tested before. */
  private open(root: number, leaf: number): number {
    const { facts } = this;
    let hangs = root;
    for (;;) {
      let at = this.next(hangs);
      if (at === 0) return hangs;
      let end = at + 1 + 2 * (this.nodes[at] as number);
      for (let test = at + 1; test < end; test += 2) {
        const place = this.nodes[test] as number;
        this.tested[place] = leaf;
        if (facts[place] === this.nodes[test + 1]) continue;
        at = this.split(hangs, at, test);
        end = at + 1 + 2 * (this.nodes[at] as number);
        break;
      }
      const next = this.nodes[end] as number;
      if (next < 0) throw new Error('what is known already need not be worked out');
      if (next >= jump) {
        hangs = end;
        continue;
      }
      this.tested[next] = leaf;
      const answer = facts[next] as number;
      if (answer >= (this.nodes[end + 1] as number)) end = this.widen(hangs, at, end);
      hangs = end + 2 + answer;
    }
  }

  /** The stretch that hangs somewhere. */
  private next(hangs: number): number {
    const next = this.nodes[hangs] as number;
    return next >= jump ? next - jump : next;
  }

  private point(hangs: number, stretch: number): void {
    this.nodes[hangs] = (this.nodes[hangs] as number) >= jump ? jump + stretch : stretch;
  }

  /** Makes a fork of a test: one stretch for what comes before it, one for what comes after. */
  private split(hangs: number, at: number, test: number): number {
    const fact = this.varying[this.nodes[test] as number] as Fact;
    const before = (test - at - 1) / 2;
    const fork = this.fork(at, before, fact);
    const after = (this.nodes[at] as number) - before - 1;
    const rest = this.copyEnd(test + 2, after);
    this.nodes[fork + 1 + 2 * before + 2 + (this.nodes[test + 1] as number)] = rest;
    this.point(hangs, fork);
    return fork;
  }

  /** A stretch of the last tests of another and what comes then. */
  private copyEnd(from: number, tests: number): number {
    const end = from + 2 * tests;
    const next = this.nodes[end] as number;
    const fork = next >= 0 && next < jump;
    const stretch = this.take(1 + 2 * tests + (fork ? 2 + (this.nodes[end + 1] as number) : 1));
    const length = this.used - stretch - 1;
    this.nodes.copyWithin(stretch + 1, from, from + length);
    this.nodes[stretch] = tests;
    if (next < 0) this.hangs[~next] = stretch + 1 + 2 * tests;
    return stretch;
  }

  /** A stretch that ends in a fork, with room for answers that came since. Returns where the fork is. */
  private widen(hangs: number, at: number, end: number): number {
    const tests = this.nodes[at] as number;
    const stretch = this.fork(at, tests, this.varying[this.nodes[end] as number] as Fact);
    const fork = stretch + 1 + 2 * tests;
    this.nodes.copyWithin(fork + 2, end + 2, end + 2 + (this.nodes[end + 1] as number));
    this.point(hangs, stretch);
    return fork;
  }

  /** A stretch of the first tests of another, with a fork behind them. */
  private fork(from: number, tests: number, fact: Fact): number {
    const stretch = this.take(1 + 2 * tests + 2 + fact.count);
    this.nodes.copyWithin(stretch + 1, from + 1, from + 1 + 2 * tests);
    this.nodes[stretch] = tests;
    this.nodes[stretch + 1 + 2 * tests] = fact.place;
    this.nodes[stretch + 2 + 2 * tests] = fact.count;
    return stretch;
  }

  private take(size: number): number {
    if (this.used + size > this.nodes.length) this.nodes = grown(this.nodes, 2 * this.nodes.length + size);
    this.used += size;
    return this.used - size;
  }
}

/** Leaves of a tree that is small. */
const small = 1024;

const jump = 2 ** 30;
