import type { Declaration } from '../declare.ts';

export const kernel = {
  VP4101: {
    severity: 'error',
    title: 'the IOMMU group is not viable',
    message: '`{device}` cannot be used: its IOMMU group {group} is shared with {others}',
  },
  VP4102: {
    severity: 'error',
    title: 'the kernel was built without no-IOMMU mode',
    message: 'no-IOMMU mode is needed for {address}, and the kernel of `{host}` was built without it',
  },
  VP4103: {
    severity: 'error',
    title: 'a bridge cannot be given to VFIO',
    message: 'VFIO takes endpoints only, and not a {kind}: {address}',
  },
  VP4104: {
    severity: 'error',
    title: 'a physical function has virtual functions',
    message: '{address} has {count} virtual functions, and stays with its driver while they are there',
  },
  VP4105: {
    severity: 'error',
    title: 'one container cannot hold groups with and without an IOMMU',
    message: '{who} cannot use {real} and {fake} together: one has an IOMMU group, the other has none',
  },
  VP4106: {
    severity: 'error',
    title: 'a principal lacks CAP_SYS_RAWIO',
    message: '{who} cannot use {address} without an IOMMU: that takes CAP_SYS_RAWIO',
  },
  VP4107: {
    severity: 'error',
    title: 'vfio-pci refuses this kind of device',
    message: '{address} ({id}) is on the list of devices that vfio-pci refuses',
  },
  VP4108: {
    severity: 'error',
    title: 'the kernel was built without what the path needs',
    message: '{address} cannot be used via {via}: the kernel of `{host}` was built without {option}',
  },
  VP4109: {
    severity: 'error',
    title: 'interrupts are not isolated',
    message: '{address} cannot be used safely: the IOMMU of `{host}` does not remap interrupts',
  },
  VP4110: {
    severity: 'error',
    title: 'the firmware keeps memory for the device',
    message: '{address} cannot be used: the firmware requires 1:1 mappings for its group {group}',
  },
  VP4111: {
    severity: 'error',
    title: 'more virtual functions than a device can have',
    message: '{address} shall have {count} virtual functions, and can have {total}',
  },
  VP4112: {
    severity: 'error',
    title: 'virtual functions are there already',
    message: '{address} has {count} virtual functions, and another number comes by way of none only',
  },
  VP4113: {
    severity: 'error',
    title: 'a driver does not enable virtual functions',
    message: 'driver {driver} of {address} does not enable virtual functions',
  },
  VP4114: {
    severity: 'error',
    title: 'DMA is not coherent with the caches',
    message:
      '{address} cannot be bound to {driver}: the IOMMU of `{host}` does not keep DMA coherent with the caches',
  },
  VP4196: {
    severity: 'error',
    title: 'a step could not be taken back',
    message: 'there would be no way back from this step: {step}',
  },
  VP4197: {
    severity: 'error',
    title: 'somebody who is not allowed could open the node',
    message: '{who} could open {path}, through which {address} is used',
  },
  VP4198: {
    severity: 'error',
    title: 'the kernel refuses a principal the use of a device',
    message: '{who} cannot use {address}: {call} answers {errno}',
  },
  VP4199: {
    severity: 'error',
    title: 'the kernel refuses a step',
    message: 'the kernel would refuse to {step}: {errno}',
  },
} as const satisfies Record<`VP4${number}`, Declaration>;
