import { Ints } from './ints.ts';
import type { Learned } from './learned.ts';
import type { Present } from './present.ts';

/**
 * What the operations of a section of the alphabet do, worked out once of all states in which the facts are the same by which
 * their answers are found.
 *
 * A row is: how many operations happen and change nothing; how long it is; and the other operations in their order, each and
 * the number of its step. One that laws are to be asked of, or that is to be told, is ~ itself and its leaf.
 */
export class Rows {
  readonly list = new Ints(1 << 16);
  /** By section the root of the tree by which its rows are found. */
  private readonly roots: readonly number[];
  /** By section the word of its tree to which the present second half leads; 0 where that is not known. */
  private readonly stretches: number[];
  /** How often leaves had changed then. */
  private known = 0;
  private readonly present: Present;
  private readonly learned: Learned;
  /** Whether every step is to be made by itself. */
  private readonly single: boolean;

  constructor(present: Present, learned: Learned, single: boolean) {
    this.present = present;
    this.learned = learned;
    this.single = single;
    this.roots = learned.sections.map(() => present.trees.plant());
    this.stretches = this.roots.map(() => 0);
  }

  /** Another second half is the present one. */
  begin(): void {
    this.stretches.fill(0);
  }

  /** Where in `list` the row of a section is that has the present state. */
  of(section: number): number {
    const { learned, stretches } = this;
    const { trees } = this.present;
    const root = this.roots[section] as number;
    if (this.known !== trees.changes) {
      this.known = trees.changes;
      stretches.fill(0);
    }
    if (stretches[section] === 0) stretches[section] = trees.findBy(root, 1);
    const leaf = trees.find(stretches[section] as number);
    return leaf >= 0 ? learned.data.at(leaf) : this.make(section, root);
  }

  private make(section: number, root: number): number {
    const { list, learned } = this;
    const { trees } = this.present;
    const row = list.length;
    let known: number;
    // By one knowledge from the first operation to the last: what is asked on the way may add to it.
    do {
      known = trees.changes;
      list.length = row;
      list.push(0);
      list.push(0);
      trees.begin(root);
      for (const part of learned.sections[section] as readonly number[]) this.add(row, learned.movesOf(part));
    } while (known !== trees.changes);
    list.array[row + 1] = list.length - row;
    // What the second half decides comes first, for that is the same of all states that are walked from together.
    learned.keep(trees.growNoted(1), row);
    return row;
  }

  /** Adds the operations of a list. */
  private add(row: number, moves: number): void {
    const { learned, list } = this;
    const end = moves + learned.lists.at(moves);
    for (let each = moves + 1; each <= end; each += 1) {
      const op = learned.lists.at(each);
      const leaf = learned.step(op);
      const writes = learned.data.at(leaf);
      if (this.single || learned.verdicts.at(leaf) !== 0) {
        list.push(~op);
        list.push(leaf);
      } else if (writes === 0) list.array[row] = list.at(row) + 1;
      else {
        list.push(op);
        list.push(writes);
      }
    }
  }
}
