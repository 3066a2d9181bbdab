import type { Example } from './example.ts';

const use = 'policy p { bind a to vfio-pci }';
const bound = [
  'unbind 0000:03:00.0 (a) from i40e',
  'let only vfio-pci bind 0000:03:00.0 (a)',
  'bind 0000:03:00.0 (a) to vfio-pci',
];
const device = 'device a { at 03:00.0 }';

/** What several files say together. */
export const files: readonly Example[] = [
  {
    sentence: 'What an imported file declares is as if it stood here.',
    text: `import "devices.vfio"\n${use}`,
    files: { 'devices.vfio': device },
    plan: bound,
  },
  {
    sentence: 'A file uses what the one that imports it declares: order never matters, of files neither.',
    text: `${device}\nimport "policies.vfio"`,
    files: { 'policies.vfio': use },
    plan: bound,
  },
  {
    sentence: 'Names of files are relative to the file that names them.',
    text: `import "site/all.vfio"\n${use}`,
    files: { 'site/all.vfio': 'import "../site/devices.vfio"', 'site/devices.vfio': device },
    plan: bound,
  },
  {
    sentence: 'A file that several import is there once.',
    text: `import "one.vfio"\nimport "two.vfio"\n${use}`,
    files: {
      'one.vfio': 'import "devices.vfio"',
      'two.vfio': 'import "./devices.vfio"',
      'devices.vfio': device,
    },
    plan: bound,
  },
  {
    sentence: 'An import that is written twice brings the file once.',
    text: `import "devices.vfio"\nimport "devices.vfio"\n${use}`,
    files: { 'devices.vfio': device },
    plan: bound,
  },
  {
    sentence: 'An import of a file that is not there is an error.',
    text: `${device}\n${use}\nimport "more.vfio"`,
    said: ['error VP2005 3'],
  },
  {
    sentence: 'What such a file may declare is not missed beside it.',
    text: `import "devices.vfio"\n${use}\npolicy q on edge { protect a }\ntest "it" on box { apply r }`,
    said: ['error VP2005 1'],
  },
  {
    sentence: 'A file that imports itself is an error.',
    text: `${device}\n${use}\nimport "policy.vfio"`,
    said: ['error VP2006 3'],
  },
  {
    sentence: 'Files that import one another in a circle are an error.',
    text: `${use}\nimport "one.vfio"`,
    files: { 'one.vfio': 'import "two.vfio"', 'two.vfio': `${device}\nimport "policy.vfio"` },
    said: ['error VP2006 two.vfio:2'],
  },
  {
    sentence: 'Statements of two files contradict each other as those of one do, and both places are named.',
    text: `import "other.vfio"\n${device}\n${use}`,
    files: { 'other.vfio': '\n\npolicy q { bind a to none }' },
    said: ['error VP3107 other.vfio:3, 3'],
  },
  {
    sentence: 'A statement that cannot be read lets the others stand, and the machine is not touched.',
    text: `${device}\n${use}\npolicy q {\nbind a two vfio-pci }`,
    said: ['error VP1004 4'],
  },
  {
    sentence: 'A name that leads nowhere is told although a statement beside it cannot be read.',
    text: `${device}\npolicy p {\nbind aa to vfio-pci\nallow user dpdk to use a via gruop }`,
    said: ['error VP2002 3', 'error VP1004 4'],
  },
  {
    sentence: 'It is not while a declaration cannot be read, which may be the one that is named.',
    text: `${device}\ndevice {\nat 03:00.1 }\npolicy p {\nbind b to vfio-pci }`,
    said: ['error VP1004 2'],
  },
];
