import type { Example } from './example.ts';

const whole = ['bind 0000:03:00.0 (a) to vfio-pci'];
const bound = ['unbind 0000:03:00.0 (a) from i40e', 'let only vfio-pci bind 0000:03:00.0 (a)', ...whole];

/** How policies are written. */
export const words: readonly Example[] = [
  {
    sentence: 'White space does not matter: a policy may stand on one line.',
    text: 'device a{at 03:00.0}policy p{bind a to vfio-pci}',
    plan: bound,
  },
  {
    sentence: 'White space does not matter: each word may stand on a line of its own.',
    text: 'device\na\n{\nat\n03:00.0\n}\npolicy\np\n{\n\tbind\na\n\n\nto\nvfio-pci\n}',
    plan: bound,
  },
  {
    sentence: 'A statement ends where the next one begins, with no mark between them.',
    text: 'device a { at 03:00.0 } policy p { bind a to vfio-pci require a isolated protect devices that hold root }',
    plan: bound,
  },
  {
    sentence: 'A mark at the end of a statement is no word of the language.',
    text: 'device a { at 03:00.0 }\npolicy p { bind a to vfio-pci; }',
    said: ['error VP1001 2'],
  },
  {
    sentence: 'A statement begins with a keyword: another word begins none.',
    text: 'device a { at 03:00.0 }\npolicy p { bind a to vfio-pci\nplease protect devices that hold root }',
    said: ['error VP1005 3'],
  },
  {
    sentence:
      'Hosts, devices, policies and tests are declared, and files imported: another word declares nothing.',
    text: 'device a { at 03:00.0 }\npolicy p { protect a }\ndriver b { at 03:00.1 }',
    said: ['error VP1005 3'],
  },
  {
    sentence: 'Blocks are in braces.',
    text: 'device a { at 03:00.0 }\npolicy p ( protect a )',
    said: ['error VP1004 2'],
  },
  {
    sentence: 'Each brace that is opened is closed.',
    text: 'device a { at 03:00.0 }\npolicy p { protect a',
    said: ['error VP1003 2'],
  },
  {
    sentence: 'The language is total: a policy names no other one, so that nothing comes round again.',
    text: 'device a { at 03:00.0 }\npolicy p { protect a\napply p }',
    said: ['error VP1005 3'],
  },
  {
    sentence: 'The members of a list are parted by commas.',
    text: 'devices d { holding root, swap }\npolicy p { protect d }',
    chosen: { d: ['02:00.0', '08:00.1'] },
  },
  {
    sentence: 'A statement is of one device, or of one set: no list can stand there.',
    text: 'device a { at 03:00.0 }\ndevice b { at 03:00.1 }\npolicy p {\nbind a, b to vfio-pci }',
    said: ['error VP1004 4'],
  },
  {
    sentence: 'A list that lacks a comma ends there.',
    text: 'policy p {\nprotect devices that hold root boot }',
    said: ['error VP1005 2'],
  },
  {
    sentence: 'Comments go from a hash to the end of the line, and may hold anything.',
    text: '# policy p { bind\ndevice a { at 03:00.0 } # } "\npolicy p { bind a # to none\n to vfio-pci }',
    plan: bound,
  },
  {
    sentence: 'A hash within a text begins no comment.',
    text: 'host box { label site "#1" }\npolicy p { forbid anyone to use any device unless host site is "#1" }\ndevice a { at 03:00.0 }\npolicy q { bind a to vfio-pci allow user dpdk to use a via group }',
    access: ['user dpdk: a via group'],
  },
  {
    sentence: 'An address may be written without its domain, and means domain 0.',
    text: 'device a { at 0000:03:00.0 }\ndevice b { at 03:00.0 }\npolicy p { protect a protect b }',
    chosen: { a: ['03:00.0'], b: ['03:00.0'] },
  },
  {
    sentence: 'An address that no bus can have is none.',
    text: 'device a { at 0000:03:20.0 }\npolicy p { protect a }',
    said: ['error VP1007 1'],
  },
  {
    sentence: 'A function has a number from 0 to 7.',
    text: 'device a { at 0000:03:00.8 }\npolicy p { protect a }',
    said: ['error VP1007 1'],
  },
  {
    sentence: 'Vendor and device are four hexadecimal digits each.',
    text: 'device a { id 8086:15722 }\npolicy p { protect a }',
    said: ['error VP1008 1'],
  },
  {
    sentence: 'An amount of memory has a unit: KiB, MiB, GiB or TiB.',
    text: 'device a { at 03:00.0 }\npolicy p { bind a to vfio-pci allow user dpdk to use a via group\nlimit user dpdk to 4 GB locked memory }',
    said: ['error VP1026 3'],
  },
  {
    sentence: 'A number and its unit are two words.',
    text: 'device a { at 03:00.0 }\npolicy p { bind a to vfio-pci\nconfirm within 120s }',
    said: ['error VP1004 3'],
  },
  {
    sentence: 'A date is year, month and day, and has to exist.',
    text: 'host box { noiommu allowed { owner "a" reason "b"\nuntil 2027-02-30 } }',
    said: ['error VP1009 2'],
  },
  {
    sentence: 'A leap year has its day.',
    text: 'host box { noiommu allowed { owner "a" reason "b" until 2028-02-29 } }',
  },
  {
    sentence: 'A name that would be taken for a keyword stands in quotes.',
    text: 'device a { at 03:00.0 }\npolicy p { bind a to vfio-pci allow user "dpdk" to use a via group }\npolicy "bind" { protect devices that hold root }',
    access: ['user dpdk: a via group'],
  },
  {
    sentence: 'A text ends on its line.',
    text: 'host box { label role "lab\n}',
    said: ['error VP1002 1'],
  },
  {
    sentence: 'A backslash in a text begins what the language knows, or is wrong.',
    text: String.raw`host box { label role "\u{6c}ab\t\\" label site "\x" }`,
    said: ['error VP1018 1'],
  },
  {
    sentence:
      'Names have letters from a to z: letters of other scripts, which may look like them, do not make names.',
    text: 'device \u0430 { at 03:00.0 }\npolicy p { protect \u0430 }',
    said: ['error VP1019 1', 'error VP1019 2'],
  },
  {
    sentence: 'Letters that are written from right to left make no names.',
    text: 'device \u05d0\u05d1 { at 03:00.0 }',
    said: ['error VP1019 1'],
  },
  {
    sentence: 'A hidden character that changes the order in which text is shown is refused, in comments too.',
    text: '# \u202e } \u2066 comment\ndevice a { at 03:00.0 }\npolicy p { protect a }',
    said: ['error VP1016 1', 'error VP1016 1'],
  },
];
