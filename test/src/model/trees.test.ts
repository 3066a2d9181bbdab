import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Half } from '../../../src/model/explore/half.ts';
import { type Facing, type Fact, Slot } from '../../../src/model/explore/slot.ts';
import { Trees } from '../../../src/model/explore/trees.ts';
import { seed } from '../../seed.ts';

// The tables in which the explorer keeps answers and states, beside lists that say the same. Facts and codes are many more
// here than those of small worlds, for a large number takes more room in these tables.

/** Slots with so many values each; the facts are the values themselves. */
function slotsIn(trees: Trees, now: readonly number[]): { slots: Slot[]; facts: Fact[] } {
  const facing: Facing = { vary: (fact) => trees.vary(fact, now[fact.slot.place] ?? 0) };
  const slots = now.map((_code, place) => new Slot(place % 2 === 0 ? 0 : 1, place, facing));
  for (const slot of slots) slot.code('first');
  return { slots, facts: slots.map(({ whole }) => whole.fact('is')) };
}

const step = fc.record({
  set: fc.array(fc.tuple(fc.nat(5), fc.constantFrom(1, 2, 3, 255, 256, 65_535, 65_537)), { maxLength: 4 }),
  reads: fc.uniqueArray(fc.nat(5), { maxLength: 6 }),
});

test('trees answer as a list of what was learned does', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const trees = new Trees();
      const now = [1, 1, 1, 1, 1, 1];
      const { slots, facts } = slotsIn(trees, now);
      // Slots 0 and 1 have many values from the beginning, the others more on the way.
      for (const slot of slots.slice(0, 2)) for (let value = 1; value < 65_540; value += 1) slot.code(value);
      const root = trees.plant();
      const learned: { readonly reads: readonly (readonly [number, number])[]; readonly leaf: number }[] = [];
      for (const { set, reads } of steps) {
        for (const [place, value] of set) {
          const slot = slots[place] as Slot;
          now[place] = slot.code(place < 2 ? value : value % 5);
          slot.show(now[place] as number, trees.facts);
        }
        const known = learned.filter((its) => its.reads.every(([place, code]) => now[place] === code));
        const leaf = trees.find(root);
        expect(trees.find(trees.findBy(root, 1))).toBe(leaf);
        trees.begin(root);
        expect(trees.trace(root)).toBe(leaf);
        if (leaf >= 0) expect(known.map((its) => its.leaf)).toContain(leaf);
        else {
          const grown = trees.grow(
            root,
            reads.map((place) => facts[place] as Fact),
            0,
          );
          expect(trees.find(root)).toBe(grown);
          learned.push({ reads: reads.map((place) => [place, now[place] as number]), leaf: grown });
        }
      }
    }),
    { seed, numRuns: 10 },
  );
});

test('a half has one number for each combination of codes, however large they are', () => {
  const codes = fc.array(fc.constantFrom(0, 1, 2, 255, 256, 65_535, 65_536, 2 ** 30), {
    minLength: 5,
    maxLength: 5,
  });
  fc.assert(
    fc.property(fc.array(codes, { maxLength: 40 }), (combinations) => {
      const facing: Facing = { vary: () => undefined };
      const slots = Array.from({ length: 5 }, (_, place) => new Slot(0, place, facing));
      const half = new Half(slots, [1, 0, 0, 0, 0]);
      const numbers = new Map([['1,0,0,0,0', half.present()]]);
      for (const its of combinations) {
        const number = half.numberOf(its);
        expect(numbers.get(its.join()) ?? number).toBe(number);
        numbers.set(its.join(), number);
        half.load(number, new Int32Array(0));
        expect(half.present()).toBe(number);
      }
      expect(new Set(numbers.values()).size).toBe(numbers.size);
      for (const [text, number] of numbers) expect(Array.from(half.codes(number)).join()).toBe(text);
    }),
    { seed, numRuns: 200 },
  );
});
