import type { State } from './state.ts';

/**
 * The next state while one effect makes it. Its tables are the old state's until they are replaced whole: what a state
 * shows is never changed in place. One copy for an effect costs a fraction of one for each of its changes, and written
 * out it costs a third of a spread inside the sandbox.
 */
export type Draft = { -readonly [Part in keyof State]: State[Part] };

export function draftOf(state: State): Draft {
  return {
    modules: state.modules,
    taint: state.taint,
    devices: state.devices,
    bus: state.bus,
    iommuGroups: state.iommuGroups,
    groups: state.groups,
    containers: state.containers,
    containerNode: state.containerNode,
    iommufds: state.iommufds,
    iommuNode: state.iommuNode,
    files: state.files,
    descriptors: state.descriptors,
    locked: state.locked,
    kvm: state.kvm,
  };
}
