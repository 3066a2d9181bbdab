import { grown, Ints } from './ints.ts';
import type { Fact, Half } from './slot.ts';

/**
 * Answers that were worked out once, by the facts that they rely on: decision trees in one table of integers.
 *
 * A word of a tree is one of these: ~leaf; the place of the word that follows, 0 where nothing is known; a test, which is the
 * place of a fact and the answer that it must have, and which the next word follows; or a fork, which is the place of a fact,
 * behind it how many answers it has room for and for each the word that follows. What is learned changes words where they
 * stand, so that what was found on the way to them stays true.
 */
export class Trees {
  /** By the place of a fact that varies: its present answer. */
  facts: Int32Array = new Int32Array(256);
  /** How often leaves came to rely on more than before. */
  changes = 0;
  private nodes: Int32Array = new Int32Array(1 << 16);
  private used = 1;
  private readonly varying: Fact[] = [];
  /** By the place of a fact the half that it is of. */
  private halves: Uint8Array = new Uint8Array(256);
  /** Where in the table each leaf stands. */
  private readonly hangs: number[] = [];
  /** What `begin` began: the places of the facts, how many, the tree, and by the place of any fact in which round it was noted last. */
  private path: Int32Array = new Int32Array(256);
  private length = 0;
  private tracing = 0;
  private round = 0;
  private noted: Int32Array = new Int32Array(256);
  /** By leaf: the facts that did not vary when it was grown, and the tree that relied on it last. */
  private readonly untested: (readonly Fact[])[] = [];
  private readonly reliedOn = new Ints();
  /** By root how many leaves a tree has. */
  private readonly leaves = new Map<number, number>();
  /** By the place of a fact: the leaf that was grown last and tests it. */
  private tested: Int32Array = new Int32Array(256).fill(-1);

  /** A tree without leaves: the word that says where its first one is. */
  plant(): number {
    return this.take(1);
  }

  /** The leaf to which the present facts lead from a word on, as the root of a tree; -1 where they lead to none. */
  find(from: number): number {
    const { nodes, facts } = this;
    let at = from;
    for (;;) {
      const word = nodes[at] as number;
      if (word >= tests) {
        if (facts[(word >>> 16) & places] !== (word & answers)) return -1;
        at += 1;
      } else if (word < 0) return ~word;
      else if (word < forks) {
        if (word === 0) return -1;
        at = word;
      } else if (word < wide) {
        const answer = facts[word - forks] as number;
        if (answer >= (nodes[at + 1] as number)) return -1;
        at = nodes[at + 2 + answer] as number;
      } else {
        if (facts[word - wide] !== nodes[at + 1]) return -1;
        at += 2;
      }
    }
  }

  /**
   * The first word of a tree to which the present facts of one half lead and that asks for another one; 0 where nothing was
   * learned. From there `find` finds what it finds from the root until `changes` grows.
   */
  findBy(root: number, half: Half): number {
    const { nodes, facts, halves } = this;
    let at = root;
    while (at !== 0) {
      const word = nodes[at] as number;
      if (word < 0) return at;
      if (word < forks) {
        at = word;
        continue;
      }
      const place = placeIn(word);
      if (halves[place] !== half) return at;
      const answer = facts[place] as number;
      if (word >= tests) {
        if (answer !== (word & answers)) return 0;
        at += 1;
      } else if (word >= wide) {
        if (answer !== nodes[at + 1]) return 0;
        at += 2;
      } else at = answer < (nodes[at + 1] as number) ? (nodes[at + 2 + answer] as number) : 0;
    }
    return 0;
  }

  /** Begins to note by what leaves are found, for a leaf of the tree with this root that relies on all of them. */
  begin(root: number): void {
    this.length = 0;
    this.tracing = root;
    this.round += 1;
  }

  /** As `find`, and notes the facts that are tested; on those that the leaf relies on untested the other tree relies too. */
  trace(root: number): number {
    const { nodes, facts, noted, path, round } = this;
    let { length } = this;
    let at = root;
    let leaf = -1;
    for (;;) {
      const word = nodes[at] as number;
      if (word < 0) {
        leaf = ~word;
        break;
      }
      if (word < forks) {
        if (word === 0) break;
        at = word;
        continue;
      }
      const place = placeIn(word);
      if (noted[place] !== round) {
        noted[place] = round;
        path[length] = place;
        length += 1;
      }
      const answer = facts[place] as number;
      if (word >= tests) {
        if (answer !== (word & answers)) break;
        at += 1;
      } else if (word >= wide) {
        if (answer !== nodes[at + 1]) break;
        at += 2;
      } else if (answer < (nodes[at + 1] as number)) at = nodes[at + 2 + answer] as number;
      else break;
    }
    this.length = length;
    if (leaf !== -1 && this.reliedOn.at(leaf) !== this.tracing) this.rely(leaf);
    return leaf;
  }

  private rely(leaf: number): void {
    this.reliedOn.array[leaf] = this.tracing;
    for (const fact of this.untested[leaf] as readonly Fact[])
      if (fact.place === -1) fact.trees.add(this.tracing);
  }

  /** A new leaf for the present facts, of which those in `reads` matter. */
  grow(root: number, reads: readonly Fact[], from: number): number {
    const leaf = this.hangs.length;
    const hangs = this.open(root, leaf);
    const untested: Fact[] = [];
    const first = this.used;
    for (let read = from; read < reads.length; read += 1) {
      const fact = reads[read] as Fact;
      if (fact.place === -1) {
        fact.relying.push(leaf);
        untested.push(fact);
      } else if (this.tested[fact.place] !== leaf) this.test(fact.place);
    }
    return this.end(root, hangs, first, untested);
  }

  /**
   * A new leaf of the tree that `begin` began, for what was noted since. What one half decides comes first, so that `findBy`
   * comes so far.
   */
  growNoted(half: Half): number {
    const { path, tested, halves, tracing } = this;
    const leaf = this.hangs.length;
    const hangs = this.open(tracing, leaf);
    const first = this.used;
    for (let which = 0; which < 2; which += 1) {
      for (let each = 0; each < this.length; each += 1) {
        const place = path[each] as number;
        if ((halves[place] === half) === (which === 0) && tested[place] !== leaf) this.test(place);
      }
    }
    return this.end(tracing, hangs, first, none);
  }

  /** Adds a test of a fact's present answer to the words that end the table. */
  private test(place: number): void {
    const answer = this.facts[place] as number;
    const word = this.take(place <= places && answer <= answers ? 1 : 2);
    this.write(word, place, answer);
  }

  private write(at: number, place: number, answer: number): void {
    if (place <= places && answer <= answers) this.nodes[at] = tests + (place << 16) + answer;
    else {
      this.nodes[at] = wide + place;
      this.nodes[at + 1] = answer;
    }
  }

  /** Ends a stretch of tests with a leaf, and hangs it somewhere. */
  private end(root: number, hangs: number, first: number, untested: readonly Fact[]): number {
    const at = this.take(1);
    const leaf = this.hangs.push(at) - 1;
    this.nodes[at] = ~leaf;
    this.nodes[hangs] = first;
    this.untested.push(untested);
    this.leaves.set(root, (this.leaves.get(root) ?? 0) + 1);
    this.reliedOn.push(0);
    return leaf;
  }

  /** Gives a place to a fact that had one answer only as yet; `present` is the one that it has now. */
  vary(fact: Fact, present: number): void {
    fact.place = this.varying.push(fact) - 1;
    if (fact.place >= this.facts.length) this.widen();
    this.halves[fact.place] = fact.slot.half;
    this.facts[fact.place] = present;
    if (fact.relying.length > 0 || fact.trees.size > 0) this.changes += 1;
    for (const leaf of fact.relying) {
      const at = this.take(3);
      this.write(at, fact.place, 0);
      this.nodes[at + 2] = ~leaf;
      if (fact.place <= places) this.nodes[at + 1] = at + 2;
      this.nodes[this.hangs[leaf] as number] = at;
      this.hangs[leaf] = at + 2;
    }
    fact.relying.length = 0;
    for (const root of fact.trees) this.replant(root, fact);
    fact.trees.clear();
  }

  /** Makes room for more facts that vary. */
  private widen(): void {
    const { halves, tested } = this;
    const room = 2 * this.facts.length;
    this.facts = grown(this.facts, room);
    this.path = grown(this.path, room);
    this.noted = grown(this.noted, room);
    this.tested = new Int32Array(room).fill(-1);
    this.tested.set(tested);
    this.halves = new Uint8Array(room);
    this.halves.set(halves);
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
    this.nodes[root] = this.fork(fact, 0, first);
  }

  /** A fork of which one answer leads somewhere. */
  private fork(fact: Fact, answer: number, next: number): number {
    const fork = this.take(2 + fact.count);
    this.nodes[fork] = forks + fact.place;
    this.nodes[fork + 1] = fact.count;
    this.nodes[fork + 2 + answer] = next;
    return fork;
  }

  /** Where the present facts leave what is known, made so that more can hang there; marks what is tested before. */
  private open(root: number, leaf: number): number {
    const { facts, tested } = this;
    let at = root;
    for (;;) {
      const word = this.nodes[at] as number;
      if (word < 0) throw new Error('what is known already need not be worked out');
      if (word < forks) {
        if (word === 0) return at;
        const next = this.nodes[word] as number;
        // A word that says where another one is says so for ever, but for a root.
        if (next > 0 && next < forks) this.nodes[at] = next;
        else at = word;
        continue;
      }
      const place = placeIn(word);
      const answer = facts[place] as number;
      tested[place] = leaf;
      if (word >= forks && word < wide) {
        if (answer >= (this.nodes[at + 1] as number)) at = this.more(at, place);
        at += 2 + answer;
        continue;
      }
      const [its, next] = word >= tests ? [word & answers, at + 1] : [this.nodes[at + 1] as number, at + 2];
      if (answer === its) {
        at = next;
        continue;
      }
      // The test becomes a fork; what followed it stays where it is.
      const fork = this.fork(this.varying[place] as Fact, its, next);
      this.nodes[at] = fork;
      return fork + 2 + answer;
    }
  }

  /** A fork with room for answers that came since, instead of an old one. */
  private more(old: number, place: number): number {
    const fork = this.fork(this.varying[place] as Fact, 0, 0);
    this.nodes.copyWithin(fork + 2, old + 2, old + 2 + (this.nodes[old + 1] as number));
    this.nodes[old] = fork;
    return fork;
  }

  private take(size: number): number {
    if (this.used + size > this.nodes.length) this.nodes = grown(this.nodes, 2 * this.nodes.length + size);
    this.used += size;
    return this.used - size;
  }
}

const none: readonly Fact[] = [];

/** Leaves of a tree that is small. */
const small = 1024;

/*
 * A word of less is the place of another. A fork is this and the place of its fact; so is a test of which the answer, or the
 * place, is a large number: there the answer stands behind it. Any other test has both in one word.
 */
const forks = 2 ** 28;
const wide = 2 ** 29;
const tests = 2 ** 30;
/** The largest place and the largest answer in one word. */
const places = 2 ** 14 - 1;
const answers = 2 ** 16 - 1;

/** The place of the fact of a test or a fork. */
function placeIn(word: number): number {
  return word >= tests ? (word >>> 16) & places : word & (forks - 1);
}
