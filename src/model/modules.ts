import type { Module, Parameters, State, World } from './state.ts';
import { handed, unsigned } from './text.ts';

/** A module's name as /sys/module has it: modprobe takes dashes for underscores. */
export function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}

export function moduleOf(world: World, name: string): Module | undefined {
  return world.modules.get(name) ?? world.modules.get(moduleName(name));
}

/** The parameters of a loaded module, or null. */
export function loaded(world: World, state: Pick<State, 'modules'>, name: string): Parameters | null {
  const module = moduleOf(world, name);
  return module === undefined ? null : (state.modules[module.index] ?? null);
}

export function parameterOf(world: World, state: State, module: string, parameter: string): string | null {
  const parameters = loaded(world, state, module);
  return parameters !== null && Object.hasOwn(parameters, parameter) ? (parameters[parameter] ?? null) : null;
}

/**
 * Whether somebody unloads the module, and waits for a device of its driver: it is MODULE_STATE_GOING, and nobody gets a
 * reference of it any more (kernel/module/main.c:try_stop_module, try_module_get).
 */
export function isGoing({ bus }: Pick<State, 'bus'>, module: string): boolean {
  return bus.unloading.some(({ modules: [first] }) => first === module);
}

/** Whether module vfio allows groups without an IOMMU now. */
export function noiommuAllowed(world: World, state: State): boolean {
  return (
    world.profile.build.noiommu && state.modules[world.vfioModule]?.[world.profile.noiommuParameter] === 'Y'
  );
}

/**
 * What modprobe would load for a module, in its order: what it needs, itself, what should follow. What should follow
 * one that it needs is loaded even if that one was there already; a module that is there itself asks for nothing
 * (kmod: libkmod/libkmod-module.c:kmod_module_probe_insert_module, kmod_module_get_probe_list).
 */
export function loadOrder(world: World, state: Pick<State, 'modules'>, name: string): readonly Module[] {
  const order: Module[] = [];
  const seen = new Set<Module>();
  const visit = (wanted: string): void => {
    const module = world.modules.get(wanted);
    if (module === undefined || seen.has(module)) return;
    seen.add(module);
    for (const needed of module.requires) visit(needed);
    if (state.modules[module.index] === null) order.push(module);
    for (const after of module.post) visit(after);
  };
  const target = moduleOf(world, name);
  if (target !== undefined && state.modules[target.index] === null) visit(target.name);
  return order;
}

/**
 * What a parameter's file would read after `text` was written, or why the kernel cannot read the text (kernel/params.c:
 * param_set_bool, param_set_uint). A parameter's type is told by what it reads now.
 */
export function parsed(world: World, now: string, text: string): { readonly text: string } | Unreadable {
  const asked = handed(text);
  if (now === 'Y' || now === 'N') {
    const value = truth(world, asked);
    return value === null ? 'EINVAL' : { text: value };
  }
  if (/^-?\d+$/.test(now)) {
    const value = unsigned(asked, 32);
    return typeof value === 'string' ? value : { text: `${value}` };
  }
  return { text: asked.replace(/\n$/, '') };
}

type Unreadable = 'EINVAL' | 'ERANGE';

/** lib/kstrtox.c:kstrtobool: the first letter decides, or two of `on` and `off`. */
export function truth(world: World, text: string): 'Y' | 'N' | null {
  const { yes, no, onOff } = world.profile.booleans;
  const first = text.charAt(0);
  if (first !== '' && yes.includes(first)) return 'Y';
  if (first !== '' && no.includes(first)) return 'N';
  const two = text.slice(0, 2).toLowerCase();
  if (onOff && two === 'on') return 'Y';
  return onOff && two === 'of' ? 'N' : null;
}
