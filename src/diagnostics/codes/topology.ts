import type { Declaration } from '../declare.ts';

/** What the checker's rules say about a policy and a machine together; VP33xx are facts that are not known. */
export const topology = {
  VP3101: {
    severity: 'error',
    title: 'a device carries what the host runs on',
    message: '`{device}` holds {what}, and {address} would be taken from its driver',
  },
  VP3102: {
    severity: 'error',
    title: 'a disk that is in use would be taken',
    message: '`{device}` has a disk that is {what}, and {address} would be taken from its driver',
  },
  VP3103: {
    severity: 'error',
    title: 'a group sibling that the host needs would be taken along',
    message: 'the group of `{device}` brings {address}, which holds {what}',
  },
  VP3104: {
    severity: 'error',
    title: 'the way in to the machine would be cut',
    message: '`{device}` carries the management path, and {address} would be taken from its driver',
  },
  VP3105: {
    severity: 'error',
    title: 'a protected device would be touched',
    message: '{address} is protected, and this statement would touch {touched}',
  },
  VP3106: {
    severity: 'error',
    title: 'a device that must be isolated shares its group',
    message: '{address} must be isolated, and shares IOMMU group {group} with {others}',
  },
  VP3107: {
    severity: 'error',
    title: 'two statements want different drivers for one function',
    message: 'two drivers are wanted for {address}: {first} and {second}',
  },
  VP3108: {
    severity: 'error',
    title: 'what is allowed is also forbidden',
    message: '{who} may not use {address}: the use is forbidden, and forbid beats allow',
  },
  VP3109: {
    severity: 'error',
    title: 'a device may be used that no policy binds',
    message: '{who} is allowed to use `{device}`, and no policy binds {address} to a VFIO driver',
  },
  VP3110: {
    severity: 'error',
    title: 'the host must have an IOMMU and has none',
    message: 'host `{host}` must have an IOMMU, and no IOMMU is active',
  },
  VP3111: {
    severity: 'error',
    title: 'the host is said to have no IOMMU and has one',
    message: 'host `{host}` is said to have no IOMMU, and {units} is active',
  },
  VP3112: {
    severity: 'error',
    title: 'the kernel is not of the version that the host states',
    message: 'host `{host}` must run a kernel {relation} {version}, and runs {release}',
  },
  VP3113: {
    severity: 'error',
    title: 'no-IOMMU mode is needed and not allowed',
    message: 'no IOMMU group for {address}, and host `{host}` does not allow no-IOMMU mode',
  },
  VP3114: {
    severity: 'error',
    title: 'the permission for no-IOMMU mode has expired',
    message: 'no-IOMMU mode is needed for {address}, and host `{host}` allowed it until {until}',
  },
  VP3115: {
    severity: 'error',
    title: 'a virtual machine would get a device without an IOMMU',
    message: 'vm `{vm}` cannot use {address} without an IOMMU: nothing translates its DMA',
  },
  VP3116: {
    severity: 'error',
    title: 'two principals are to own one node',
    message: '{first} and {second} are both to own the node of {what}, and a node has one owner',
  },
  VP3117: {
    severity: 'error',
    title: 'a principal is not known on the machine',
    message: '{who} does not exist on host `{host}`',
  },
  VP3118: {
    severity: 'error',
    title: 'a driver is not there',
    message: 'the kernel of `{host}` has no driver `{driver}`',
  },
  VP3119: {
    severity: 'error',
    title: 'a driver does not know the function',
    message: 'driver `{driver}` does not know {address}',
  },
  VP3120: {
    severity: 'error',
    title: 'the path that is allowed does not exist for the device',
    message: '{address} cannot be used via {via}: it has {has}',
  },
  VP3121: {
    severity: 'error',
    title: 'unsafe interrupts are forbidden and are on',
    message: 'unsafe interrupts are forbidden on `{host}`, and `allow_unsafe_interrupts` is {value}',
  },
  VP3123: {
    severity: 'error',
    title: 'a device may be used that is bound to another driver',
    message: '{who} is allowed to use {address}, to be bound to {driver} and not to a VFIO driver',
  },
  VP3124: {
    severity: 'warning',
    title: 'a service or container is given its node by somebody else',
    message: '{who} gets no node from vfioplan: its unit or engine has to hand {address} over',
  },
  VP3125: {
    severity: 'error',
    title: 'everybody may use a device',
    message: '{who} may use {address}: name one user, group or virtual machine',
  },
  VP3126: {
    severity: 'warning',
    title: 'a statement has no effect',
    message: 'this statement has no effect: {reason}',
  },
  VP3127: {
    severity: 'info',
    title: 'safety rests on a claim',
    message: 'nothing but a claim keeps {address} from reaching all of memory',
  },
  VP3128: {
    severity: 'error',
    title: 'a device cannot be reset as it must be',
    message: '{address} must reset by {wanted}, and resets {has}',
  },
  VP3129: {
    severity: 'error',
    title: 'a device is on another NUMA node',
    message: '{address} must be on NUMA node {wanted}, and is on {has}',
  },
  VP3130: {
    severity: 'error',
    title: 'a device would be bound as it must never be',
    message: '{address} must never be bound to {driver}, and would be',
  },
  VP3131: {
    severity: 'error',
    title: 'a limit does not hold a principal',
    message: '{who} has CAP_IPC_LOCK, and no limit of locked memory holds it',
  },
  VP3132: {
    severity: 'error',
    title: 'two statements want different things',
    message: 'two things are said of {what}: {first} and {second}',
  },
  VP3133: {
    severity: 'warning',
    title: 'a wish is not carried out by apply',
    message: '`apply` does not bring this about: {what}',
  },
  VP3134: {
    severity: 'error',
    title: 'a device has no virtual functions',
    message: '{address} is no physical function, and cannot have virtual ones',
  },
  VP3135: {
    severity: 'error',
    title: 'it is not known where virtual functions would be',
    message: 'the virtual functions of {address} cannot be foretold',
  },
  VP3136: {
    severity: 'error',
    title: 'a group gives away more than is allowed',
    message: '{who} is allowed {address} via group, and would get {others} with it',
  },
  VP3137: {
    severity: 'error',
    title: "somebody else's file stands where one of vfioplan's would be written",
    message: '`{path}` is there, and vfioplan did not write it',
  },
  VP3138: {
    severity: 'warning',
    title: 'what an earlier plan left is not put back',
    message: '{address} is named by no policy any more and stays as it is: {reason}',
  },
  VP3301: {
    severity: 'warning',
    title: 'choosing a device rests on facts that the machine did not tell',
    message: 'the machine must show {facts} before the devices of `{host}` are certain',
  },
  VP3302: {
    severity: 'warning',
    title: 'it is not known what a device holds for the host',
    message: 'the machine must show {facts} before functions of `{host}` can be taken',
  },
  VP3303: {
    severity: 'warning',
    title: 'the kernel of the machine is not known well enough',
    message: 'the machine must show {facts} of the kernel of `{host}`',
  },
  VP3304: {
    severity: 'warning',
    title: 'the IOMMU of the machine is not known well enough',
    message: 'the machine must show {facts} of the IOMMU of `{host}`',
  },
  VP3305: {
    severity: 'warning',
    title: 'a function is not known well enough',
    message: 'the machine must show {facts} of functions of `{host}`',
  },
  VP3306: {
    severity: 'warning',
    title: 'a principal is not known well enough',
    message: 'the machine must show {facts} of those who are allowed to use devices of `{host}`',
  },
  VP3307: {
    severity: 'warning',
    title: 'it is not known what stands where a file is to be written',
    message: 'the machine must show {facts} before files of `{host}` can be written',
  },
} as const satisfies Record<`VP3${number}`, Declaration>;
