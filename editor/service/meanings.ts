/** What a value means by itself, whatever the machine: errnos, codes of diagnostics, capabilities, ways to reset, amounts. */
import { knownErrnos, refusalsWith } from '../../src/check/errnos.ts';
import { explain } from '../../src/diagnostics/explain.ts';
import { ownPaths } from '../../src/machine/configuration.ts';
import { timeUnits, units } from '../../src/syntax/measures.ts';
import { resetMethods } from '../../src/syntax/values.ts';
import { code, escaped } from './markdown.ts';

/** As many refusals as a glance takes in. */
const shownLimit = 6;

/** What VFIO and the files that it is reached by ask capabilities for (drivers/vfio, drivers/pci, fs/namei.c; 6.12). */
const askedFor: Readonly<Record<string, string>> = {
  CAP_SYS_RAWIO:
    'VFIO asks for it where there is no IOMMU: when the group is opened, put into a container, given the noiommu driver, and when its device is opened first',
  CAP_IPC_LOCK: 'who has it may lock any amount of memory: RLIMIT_MEMLOCK is not asked (vfio_lock_acct)',
  CAP_SYS_ADMIN: 'asked by files of a device in sysfs, such as `enable`, and by the type of an IOMMU group',
  CAP_DAC_OVERRIDE: 'who has it may open every node, whoever owns it',
  CAP_SYS_MODULE: 'loads and unloads kernel modules',
};

/** As drivers/pci/pci.c tries them (pci_reset_fn_methods, 6.12). */
const resets: Readonly<Record<string, string>> = {
  device_specific: 'what the kernel knows of this very device (drivers/pci/quirks.c)',
  acpi: 'the method `_RST` of the firmware',
  flr: 'Function Level Reset of PCI Express: this function alone',
  af_flr: 'Function Level Reset of Advanced Features: this function alone',
  pm: 'to D3hot and back, where that resets the function',
  bus: 'a reset of the bus or the slot: only where the function is alone there',
  cxl_bus: 'a reset of the bus of a CXL device',
};

/** Who reads a file that plans write, and when. */
const files: Readonly<Record<string, string>> = {
  [ownPaths.modules]: 'modules that a boot loads, by `persist`',
  [ownPaths.options]: 'parameters and order of modules from the next boot on, by `persist`',
  [ownPaths.rules]: 'what udev does with functions and nodes as they come, by `persist`',
  [ownPaths.limits]: 'memory that users and groups may lock from their next login on, by `limit`',
};

/** `path`: of a file that would be vfioplan's. */
export function fileMeaning(path: string): string {
  return files[path] ?? 'memory that the service may lock from its next start on, by `limit`';
}

/** Paragraphs of CommonMark; none for what is no such value. `before` and `after` are the text around the word. */
export function valueParagraphs(word: string, before: string, after: string): readonly string[] {
  const explained = /^VP\d{4}$/.test(word) ? explain(word) : undefined;
  if (explained !== undefined) return [`**${word}**: ${explained.title}`];
  if (knownErrnos.includes(word)) return errnoParagraphs(word);
  if (resetMethods.includes(word) && /\b(?:by|,)\s*$/.test(before))
    return [`**reset** ${code(word)}: ${resets[word]}`];
  return amountParagraphs(word, before, after);
}

/** What VFIO asks the capability for; nothing for those that it never asks for. */
export function capabilityParagraphs(name: string): readonly string[] {
  const use = askedFor[name];
  return use === undefined ? [] : [use];
}

function errnoParagraphs(errno: string): readonly string[] {
  const { number, refusals } = refusalsWith(errno);
  const shown = refusals
    .slice(0, shownLimit)
    .map(({ call, words, citation }) => `\n- ${code(call)}: ${escaped(words)} (${escaped(citation)})`);
  const more = refusals.length > shownLimit ? `\n- and ${refusals.length - shownLimit} more` : '';
  const title = `**errno** ${code(errno)}, ${number}`;
  return refusals.length === 0 ? [title] : [title, `Linux 6.12 answers it to${shown.join('')}${more}`];
}

/** `4 GiB` in bytes and `5 min` in seconds, wherever in it somebody points. */
function amountParagraphs(word: string, before: string, after: string): readonly string[] {
  const amount = /^\d+$/.test(word) ? word : /(\d+)\s*$/.exec(before)?.[1];
  const unit = /^\d+$/.test(word) ? /^\s*([A-Za-z]+)/.exec(after)?.[1] : word;
  if (amount === undefined || unit === undefined) return [];
  if (Object.hasOwn(units, unit)) return [`${amount} ${unit}: ${counted(amount, units[unit])} bytes`];
  if (unit !== 's' && Object.hasOwn(timeUnits, unit))
    return [`${amount} ${unit}: ${counted(amount, timeUnits[unit])} seconds`];
  return [];
}

function counted(amount: string, factor: number | undefined): string {
  return (BigInt(amount) * BigInt(factor ?? 1)).toString().replace(/\B(?=(\d{3})+$)/g, ',');
}
