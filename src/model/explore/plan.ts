import { Ints } from './ints.ts';
import type { Learned } from './learned.ts';
import type { Present } from './present.ts';

/**
 * What one half of a state decides alone, worked out once for each half that comes. The first half has the operations that
 * may always happen, the second all others.
 *
 * A plan is: how often leaves had changed; how many operations happen and change nothing; how long it is; and the other
 * operations in their order. One that is known is itself, where its writes are, and the half after. Of one that takes the
 * other half too it is ~ (the number of parts + itself), and where its tree goes on; of a part of the alphabet that does,
 * ~ itself.
 */
export class Plans {
  readonly list = new Ints();
  private readonly half: 0 | 1;
  /** By half where its plan stands; 0: nowhere yet. */
  private readonly places = new Ints();
  private readonly present: Present;
  private readonly learned: Learned;
  /** Whether every step is to be made by itself. */
  private readonly single: boolean;

  constructor(half: 0 | 1, present: Present, learned: Learned, single: boolean) {
    this.half = half;
    this.present = present;
    this.learned = learned;
    this.single = single;
    this.list.push(0);
  }

  /** Where in `list` the plan of the present half is, which has this number. */
  of(number: number): number {
    const { places, list, learned, half } = this;
    const { trees } = this.present;
    while (places.length <= number) places.push(0);
    const known = places.at(number);
    if (known !== 0 && list.at(known) === trees.changes) return known;
    const plan = list.push(trees.changes);
    list.push(0);
    list.push(0);
    for (let part = 0; part < learned.parts; part += 1) {
      const always = learned.movesBy(trees.none, part);
      if ((always !== 0) !== (half === 0)) continue;
      const at = always !== 0 ? always : learned.movesBy(trees.alone[half], part);
      if (at === 0) list.push(~part);
      else {
        const end = at + 1 + learned.lists.at(at);
        for (let each = at + 1; each < end; each += 1) this.add(plan, number, learned.lists.at(each));
      }
    }
    list.array[plan + 2] = list.length - plan;
    places.array[number] = plan;
    return plan;
  }

  private add(plan: number, number: number, op: number): void {
    const { learned, present, list, half } = this;
    const leaf = learned.stepBy(present.trees.alone[half], op);
    if (leaf < 0 || this.single || learned.verdicts.at(leaf) !== 0) {
      list.push(~(learned.parts + op));
      list.push(leaf < 0 ? ~leaf : 0);
      return;
    }
    const at = learned.data.at(leaf);
    if (at === 0) {
      list.array[plan + 1] = list.at(plan + 1) + 1;
      return;
    }
    list.push(op);
    list.push(at);
    list.push(present.after(half, number, at));
  }
}
