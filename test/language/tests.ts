import type { Example } from './example.ts';
import { box, edge, permitted } from './machines.ts';

const base = `host box {}
device a { at 03:00.0 }
policy p { bind a to vfio-pci allow user dpdk to use a via group }
policy q { forbid vm * to use any device }
`;
const limits = '/etc/security/limits.d/60-vfioplan.conf';
const without = `${permitted}
device a { at 03:00.0 }
policy p { bind a to vfio-pci allow user dpdk to use a via noiommu }
`;

/** A test on the box, which passes. */
function passes(sentence: string, statements: string): Example {
  const text = `${base}test "it" on box { ${statements} }`;
  return { sentence, text, tests: 1 };
}

/** What is done on a simulated machine, and what must hold then. */
export const tests: readonly Example[] = [
  {
    sentence: 'A stranger is refused; the owner takes the device, and without an IOMMU maps no memory.',
    text: `${without}test "it" on edge {
  apply p
  as user mallory { open a -> EACCES }
  as user dpdk with CAP_SYS_RAWIO { use a via noiommu -> ok map 2 MiB at 0x0 -> ENOTTY }
  expect kernel tainted
  expect a bound to vfio-pci
}`,
    machine: edge,
    tests: 1,
  },
  {
    sentence: 'A test may be on a machine by itself: then what is refused there is expected by its code.',
    text: `device d { id 8086:1572 }
policy p { bind d to vfio-pci }
test "two ports" on snapshot "machines/box.json" { expect apply p refused VP2102 }
test "one port" on edge { apply p expect d bound to vfio-pci }
host edge { noiommu allowed { owner "net" reason "lab" until 2027-03-01 } }`,
    machines: { edge, 'machines/box.json': { ...box, hostname: 'edge' } },
    said: ['error VP2102 1'],
    tests: 2,
  },
  passes(
    'A test says what the driver of a device is.',
    'expect a bound to i40e expect a bound to default apply p expect a bound to vfio',
  ),
  passes('A test says that the kernel is not tainted.', 'apply p expect kernel not tainted'),
  passes('Several policies are applied at once.', 'apply p, q expect a bound to vfio-pci'),
  passes(
    'With an IOMMU, memory is mapped.',
    'apply p as user dpdk { open a -> ok use a via group -> ok map 2 MiB at 0x0 -> ok }',
  ),
  passes(
    'A step that fails is rolled back with all before it.',
    'apply p when step 3 fails with EBUSY expect machine unchanged',
  ),
  passes(
    'What is undone by such a fault is seen: the device has its driver again, and nobody is let in.',
    'apply p when step 4 fails with EPERM expect a bound to i40e as user dpdk { open a via group -> ENOENT }',
  ),
  {
    sentence: 'What nobody confirms is taken back.',
    text: `host box {}
device a { at 03:00.0 }
policy p { bind a to vfio-pci confirm within 120 s }
test "it" on box { apply p expect a bound to vfio-pci }
test "nobody" on box { apply p when not confirmed expect a bound to i40e expect machine unchanged }`,
    tests: 2,
  },
  passes('A plan that is killed is taken back.', 'apply p when killed after step 2 expect machine unchanged'),
  passes(
    'What one policy established and the next does not name is put back as it was found.',
    'apply p expect a bound to vfio-pci apply q expect a bound to default expect machine unchanged',
  ),
  {
    sentence:
      'Virtual functions go back to the number that there was, and no file of `persist` outlives its policy.',
    text: `host box {}
device pf { at 07:00.0 }
devices vfs { virtual functions 0..1 of pf }
policy p { create 2 virtual functions on pf bind vfs to vfio-pci allow user dpdk to use vfs via group persist across boots }
policy q { forbid vm * to use any device }
test "it" on box {
  apply p
  as user dpdk { use vfs via group -> ok }
  expect file "/etc/udev/rules.d/60-vfioplan.rules" present
  apply q
  expect file "/etc/udev/rules.d/60-vfioplan.rules" absent
  expect machine unchanged
}`,
    said: ['warning VP3133 4'],
    tests: 1,
  },
  {
    sentence: 'What lasts is written to files; a test says that one is there, or not, and what it says.',
    text: `host box {}
device a { at 03:00.0 }
policy p { bind a to vfio-pci allow user dpdk to use a via group limit user dpdk to 4 GiB locked memory }
policy q { forbid vm * to use any device }
test "it" on box {
  expect file "${limits}" absent
  apply p
  expect file "${limits}" present
  expect file "${limits}" with line "dpdk - memlock 4194304"
  expect file "${limits}" with text "dpdk", "memlock"
  expect file "/etc/systemd/system/vpp.service.d/60-vfioplan.conf" absent
  apply q
  expect file "${limits}" absent
}`,
    tests: 1,
  },
  {
    sentence: 'A test speaks of files that plans write.',
    text: `${base}test "it" on box {\nexpect file "/etc/passwd" present }`,
    said: ['error VP2019 6'],
  },
  {
    sentence: 'A line of a file has no line break.',
    text: `${base}test "it" on box {\nexpect file "${limits}" with line "a\\nb" }`,
    said: ['error VP1032 6'],
  },
  {
    sentence: 'A test has a name that can be read.',
    text: `${base}test "" on box { apply p }`,
    said: ['warning VP1033 5'],
    tests: 1,
  },
  {
    sentence: 'A test that does nothing and expects nothing would always pass: that is told.',
    text: `${base}test "it" on box {}`,
    said: ['warning VP3126 5'],
    tests: 1,
  },
  {
    sentence: 'So is a process that calls nothing.',
    text: `${base}test "it" on box { apply p\nas user dpdk {} }`,
    said: ['warning VP3126 6'],
    tests: 1,
  },
  {
    sentence: 'A test names policies that there are.',
    text: `${base}test "it" on box {\napply r }`,
    said: ['error VP2014 6'],
  },
  {
    sentence: 'What a call answers is `ok` or an errno.',
    text: 'device a { at 03:00.0 }\npolicy p { protect a }\ntest "it" on box {\nas anyone { open a -> EWRONG } }',
    machines: { box },
    said: ['error VP2016 4'],
  },
  {
    sentence: 'Memory is mapped for what was used before.',
    text: `${base}test "it" on box {\nas user dpdk { map 2 MiB at 0x0 -> ok } }`,
    said: ['error VP2018 6'],
  },
  {
    sentence: 'A refusal is expected by a code that there is.',
    text: 'policy p { forbid unsafe interrupts }\ntest "it" on box {\nexpect apply p refused VP9999 }',
    said: ['error VP1029 3'],
  },
];
