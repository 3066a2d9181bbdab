import type { Io } from '../../../runtime/cli/io.ts';

/** What is given to the command line, and how it must end. */
export interface Case {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** `@` stands for the folder of the files. */
  readonly argv: string;
  readonly code: string;
  readonly exit?: number;
  readonly changes?: Partial<Io>;
}

/** One policy that cannot be, and the code that it is refused with. */
function refused(content: string | Uint8Array, code: string): Case {
  return { files: { 'p.vfio': content }, argv: 'check @/p.vfio', code };
}

const host = 'host h { iommu any }';
const days = [
  '2027-02-29',
  '2100-02-29',
  '2027-13-01',
  '2027-00-10',
  '2027-04-31',
  '99999-01-01',
  '2027-1-1',
  '0000-01-01',
];
const selectors = [
  ['at 0000:100:00.0', 'VP1007'],
  ['at 0000:03:20.0', 'VP1007'],
  ['at 0000:03:1f.8', 'VP1007'],
  ['at 123456789:03:00.0', 'VP1007'],
  ['id 18086:1572', 'VP1008'],
  ['mac b4:96:91:a1:02', 'VP1022'],
  ['numa 99999999999', 'VP1011'],
  ['count 70000', 'VP1011'],
  ['virtual functions 0..99999999 of d', 'VP1011'],
  ['class 0x1000000', 'VP2013'],
] as const;

export const badPolicies: Readonly<Record<string, Case>> = {
  'a block that is not closed': refused(
    'host h { iommu any\npolicy p { forbid unsafe interrupts }',
    'VP1003',
  ),
  'a text that is not closed': refused('host h { label role "lab\n}', 'VP1002'),
  'UTF-16 with a byte order mark': refused(Buffer.from(`\ufeff${host}`, 'utf16le'), 'VP2905'),
  'UTF-16 of the other order': refused(Buffer.from(`\ufeff${host}`, 'utf16le').swap16(), 'VP2905'),
  'UTF-16 without a mark': refused(Buffer.from(host, 'utf16le'), 'VP1017'),
  'Latin-1': refused(Buffer.from(`# caf\u00e9\n${host}`, 'latin1'), 'VP2905'),
  'two encodings': refused(
    Buffer.concat([Buffer.from('# caf\u00e9\n'), Buffer.from('# caf\u00e9\n', 'latin1')]),
    'VP2905',
  ),
  'a slash in two bytes': refused(Uint8Array.of(0x23, 0xc0, 0xaf), 'VP2905'),
  'half of a surrogate pair': refused(Uint8Array.of(0x23, 0xed, 0xa0, 0x80), 'VP2905'),
  'an end within a character': refused(Uint8Array.of(0x23, 0xe2, 0x82), 'VP2905'),
  'a NUL byte in a word': refused('policy p { pro\0tect d }', 'VP1017'),
  'a line of 10 MB': refused(`#${'x'.repeat(10e6)}`, 'VP2904'),
  'a line of 5 MB': refused(`#${'x'.repeat(5e6)}`, 'VP1013'),
  'a text of 4 MB': refused(`host h { label role "${'x'.repeat(4e6)}" }`, 'VP1013'),
  'a million declarations': refused('host a{}'.repeat(1e6), 'VP1013'),
  'half a million declarations': refused('host a{}'.repeat(5e5), 'VP1030'),
  'a hundred thousand imports': refused('import "a"\n'.repeat(1e5), 'VP1030'),
  'blocks within blocks': refused(`policy p ${'{'.repeat(1e6)}`, 'VP1015'),
  'nots upon nots': refused(`devices d { ${'not '.repeat(2e5)}numa 1 }`, 'VP1015'),
  'a name from right to left': refused('device \u05d0\u05d1 { at 03:00.0 }', 'VP1019'),
  'a name that is shown in another order': refused('device "a\u202eb" { at 03:00.0 }', 'VP1016'),
  'an import of itself': refused('import "p.vfio"', 'VP2006'),
  'an import of a folder': refused('import "."', 'VP2903'),
  'an import of nothing': refused('import ""', 'VP2903'),
  'an import of a name with a NUL': refused('import "a\\u{0}b"', 'VP2902'),
  'an import of a name that is too long': refused(`import "${'a'.repeat(5000)}"`, 'VP2902'),
  ...Object.fromEntries(
    days.map((day) => [
      `a date that does not exist: ${day}`,
      refused(`host h { noiommu allowed { until ${day} } }`, 'VP1009'),
    ]),
  ),
  ...Object.fromEntries(
    selectors.map(([selector, code]) => [
      `out of range: ${selector}`,
      refused(`devices d { ${selector} }\npolicy p { protect d }`, code),
    ]),
  ),
};
