import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seed } from '../../seed.ts';
import { living, more, seen, sentences, without, words } from './lives.ts';

const withIommu = [
  'bind a to vfio-pci',
  'bind a to none',
  'bind a to i40e',
  'bind a to vfio-pci allow user spdk to use a via iommufd',
  'bind b to vfio-pci allow user dpdk to use b via group',
  'bind b to vfio-pci allow user spdk to use b via group',
  'bind b to vfio-pci allow user dpdk to use b via iommufd',
  'bind pair to vfio-pci',
  'bind pair to none',
  'bind pair to vfio-pci allow user dpdk to use pair via group',
  'create 2 virtual functions on p',
  'create 2 virtual functions on p bind vfs to vfio-pci allow user dpdk to use vfs via group',
];
const withoutIommu = [
  ...['a', 'b'].flatMap((name) => [
    `bind ${name} to vfio-pci`,
    `bind ${name} to none`,
    `bind ${name} to i40e`,
    `bind ${name} to vfio-pci allow user dpdk with CAP_SYS_RAWIO to use ${name} via noiommu`,
    `bind ${name} to vfio-pci allow user spdk with CAP_SYS_RAWIO to use ${name} via noiommu`,
  ]),
  'create 2 virtual functions on p',
  'create 2 virtual functions on p bind vfs to vfio-pci allow user dpdk with CAP_SYS_RAWIO to use vfs via noiommu',
];
const permitted = `host testbox { noiommu allowed { owner "n" reason "r" until 2027-03-01 } } ${more}`;

/** What is said before, and one statement of each subject at most. */
function policiesOf(said: string, statements: readonly string[]): fc.Arbitrary<string> {
  return fc.shuffledSubarray([...statements]).map((chosen) => {
    const [subjects, kept] = [new Set<string>(), [] as string[]];
    for (const statement of chosen) {
      const subject = statement.split(' ').find((word) => ['a', 'b', 'pair', 'p'].includes(word)) ?? '';
      if (!subjects.has(subject)) kept.push(statement);
      subjects.add(subject);
    }
    return `${said} policy d { ${kept.join(' ')} }`;
  });
}

describe.each([
  ['with an IOMMU', words, more, withIommu],
  ['without an IOMMU', without, permitted, withoutIommu],
] as const)('whatever policies come after one another, %s', (_, of, said, statements) => {
  it('the last one alone says what is, and none leads back to the beginning', async () => {
    const fresh = new Map<string, object>();
    const alone = async (text: string): Promise<object> => {
      const known = fresh.get(text);
      if (known !== undefined) return known;
      let shown: object = {};
      await living((life) => {
        sentences(life, text);
        shown = seen(life);
      }, of);
      fresh.set(text, shown);
      return shown;
    };
    const sequences = fc.array(policiesOf(said, statements), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(sequences, (sequence) =>
        living(async (life) => {
          const before = seen(life);
          for (const text of sequence) {
            sentences(life, text);
            expect(sentences(life, text)).toEqual([]);
            expect(seen(life)).toEqual(await alone(text));
          }
          const last = seen(life);
          if (sentences(life, `${said} policy d {}`).length > 0) {
            expect(seen(life)).toEqual(before);
            expect(life.revert()).toMatchObject({ verdict: 'reverted', diagnostics: [] });
          }
          expect(seen(life)).toEqual(last);
        }, of),
      ),
      { numRuns: 6, seed },
    );
  });
});
