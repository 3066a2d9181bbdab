import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { wordMeant } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import type { Selector, Word } from '../syntax/ast.ts';
import { type Origin, placeOf } from '../syntax/places.ts';
import type { Sources } from './sources.ts';

/**
 * Names for PCI classes, each the leading hex digits of the class code (PCI Code and ID Assignment Specification,
 * section 1; include/linux/pci_ids.h). A name with a point is a part of the name before it.
 */
const classes: Readonly<Record<string, string>> = {
  storage: '01',
  'storage.scsi': '0100',
  'storage.ide': '0101',
  'storage.raid': '0104',
  'storage.sata': '0106',
  'storage.sas': '0107',
  'storage.nvme': '010802',
  network: '02',
  'network.ethernet': '0200',
  'network.infiniband': '0207',
  'network.other': '0280',
  display: '03',
  'display.vga': '0300',
  'display.3d': '0302',
  multimedia: '04',
  'multimedia.video': '0400',
  'multimedia.audio': '0403',
  memory: '05',
  bridge: '06',
  'bridge.host': '0600',
  'bridge.isa': '0601',
  'bridge.pci': '0604',
  communication: '07',
  'communication.serial': '0700',
  system: '08',
  input: '09',
  processor: '0b',
  serial: '0c',
  'serial.usb': '0c03',
  'serial.smbus': '0c05',
  wireless: '0d',
  encryption: '10',
  signal: '11',
  accelerator: '12',
};

export const classNames: readonly string[] = Object.keys(classes);

/** The leading digits of the class codes that a word means: a name, or two, four or six hex digits; else undefined. */
export function classPrefix(word: string): string | undefined {
  if (Object.hasOwn(classes, word)) return classes[word];
  const digits = word.toLowerCase().replace(/^0x/, '');
  return /^([0-9a-f]{2}){1,3}$/.test(digits) ? digits : undefined;
}

/** The most exact name for a class code, or the code itself. */
export function className(code: string): string {
  let best: [string, string] | undefined;
  for (const entry of Object.entries(classes)) {
    if (code.startsWith(entry[1]) && entry[1].length > (best?.[1].length ?? 0)) best = entry;
  }
  return best?.[0] ?? code;
}

/** Classes that no function could ever have. */
export function checkClasses(sources: Sources): Diagnostic[] {
  return sources.devices.flatMap((sited) =>
    [...sited.node.selectors, ...sited.node.except].flatMap((selector) => checkSelector(sited, selector)),
  );
}

function checkSelector(origin: Origin, selector: Selector): Diagnostic[] {
  switch (selector.kind) {
    case 'and':
    case 'or':
      return selector.operands.flatMap((operand) => checkSelector(origin, operand));
    case 'not':
      return checkSelector(origin, selector.operand);
    case 'class':
      return classPrefix(selector.value.text) === undefined ? [unknownClass(origin, selector.value)] : [];
    default:
      return [];
  }
}

function unknownClass(origin: Origin, word: Word): Diagnostic {
  const place = placeOf(origin, word);
  const meant = wordMeant(place, word.text, classNames);
  return report(
    'VP2013',
    place,
    { text: word.text },
    {
      cures: [
        ...meant.cures,
        'write a name such as `network.ethernet`, or the hex digits of the class: `0200`',
      ],
      fixes: meant.fixes,
    },
  );
}
