import { moduleOf, parsed } from './modules.ts';
import type { World } from './state.ts';

/**
 * What modprobe is given behind a module's name, as the kernel reads it while the module is loaded
 * (kernel/params.c:parse_args, lib/cmdline.c:next_arg). A module that is there already never sees it.
 */

interface Argument {
  readonly name: string;
  /** Null: no `=` behind the name. */
  readonly text: string | null;
}

/** What is given for vfio-pci's ids; the parameter has no file (drivers/vfio/pci/vfio_pci.c: module_param_string, mode 0). */
const idsParameter = 'ids';
const idsRoom = 1024;

/** The arguments up to `--`; what stands in quotes is one, with its spaces. */
export function argumentsOf(texts: readonly string[]): readonly Argument[] {
  const words = texts.join(' ').match(/(?:"[^"]*"?|[^\s"])+/g) ?? [];
  const found: Argument[] = [];
  for (const word of words) {
    if (word === '--') break;
    const plain = word.startsWith('"') ? word.replace(/^"|"$/g, '') : word;
    const equals = plain.indexOf('=');
    const name = equals > 0 ? plain.slice(0, equals) : plain;
    found.push({ name, text: equals > 0 ? unquoted(plain.slice(equals + 1)) : null });
  }
  return found;
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.replace(/^"|"$/g, '') : text;
}

/** A module's parameters, the text of `ids=`, and what the kernel says of the arguments, in their order. */
interface Given {
  readonly parameters: Readonly<Record<string, string>>;
  readonly ids: string;
  readonly told: readonly Told[];
}

/** ENOENT: the module has no such parameter, which does not keep it from being loaded. */
interface Told {
  readonly name: string;
  readonly text: string;
  readonly errno: 'ENOENT' | 'EINVAL' | 'ERANGE' | 'ENOSPC';
}

/** What the arguments make of a module's parameters; of several of one name the last counts. */
export function givenTo(world: World, name: string, texts: readonly string[] = []): Given {
  const module = moduleOf(world, name);
  const parameters: Record<string, string> = { ...module?.parameters };
  const told: Told[] = [];
  let ids = '';
  for (const { name: written, text } of argumentsOf(texts)) {
    const parameter = written.replaceAll('-', '_');
    const now = Object.hasOwn(parameters, parameter) ? parameters[parameter] : undefined;
    const isIds = module?.name === 'vfio_pci' && parameter === idsParameter;
    const read = isIds ? idsRead(text) : now === undefined ? 'ENOENT' : textOf(world, now, text);
    if (typeof read === 'string') told.push({ name: written, text: text ?? '', errno: read });
    else if (isIds) ids = read.text;
    else parameters[parameter] = read.text;
  }
  return { parameters, ids, told };
}

/** Why the kernel does not load a module with these arguments: it reads all, and answers for the last that it cannot take. */
export function refusedBy(world: World, name: string, texts: readonly string[]): Told['errno'] | null {
  const { told } = givenTo(world, name, texts);
  return told.findLast(({ errno }) => errno !== 'ENOENT')?.errno ?? null;
}

/** A switch without a text is switched on, every other parameter wants one. */
function textOf(world: World, now: string, text: string | null): ReturnType<typeof parsed> {
  if (text !== null) return parsed(world, now, text);
  return now === 'Y' || now === 'N' ? { text: 'Y' } : 'EINVAL';
}

function idsRead(text: string | null): { readonly text: string } | 'EINVAL' | 'ENOSPC' {
  if (text === null) return 'EINVAL';
  return text.length >= idsRoom ? 'ENOSPC' : { text };
}
