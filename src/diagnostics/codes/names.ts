import type { Declaration } from '../declare.ts';

export const names = {
  VP2001: {
    severity: 'error',
    title: 'a name is declared twice',
    message: '{kind} `{name}` is declared twice',
  },
  VP2002: {
    severity: 'error',
    title: 'a device name is not declared',
    message: 'no device is called `{name}`',
  },
  VP2003: {
    severity: 'error',
    title: 'a host name matches nothing',
    message: '`{name}` matches no host and no machine',
  },
  VP2004: {
    severity: 'warning',
    title: 'a device is declared and never used',
    message: 'device `{name}` is declared and never used',
  },
  VP2005: {
    severity: 'error',
    title: 'an imported file is missing',
    message: 'imported file `{path}` was not found',
  },
  VP2006: {
    severity: 'error',
    title: 'files import one another in a circle',
    message: '`{path}` imports itself: {circle}',
  },
  VP2007: {
    severity: 'error',
    title: 'two host statements contradict each other',
    message: 'host `{host}` is given two different values for {what}: {first} and {second}',
  },
  VP2008: {
    severity: 'warning',
    title: 'the snapshot is of a machine with another name',
    message: 'host `{host}` is checked against the snapshot of `{hostname}`',
  },
  VP2009: {
    severity: 'warning',
    title: 'a host has no snapshot',
    message: 'host `{host}` has no snapshot: only names were checked',
  },
  VP2010: {
    severity: 'error',
    title: 'a device is declared for another host',
    message: 'device `{name}` is not declared for host `{host}`',
  },
  VP2012: {
    severity: 'error',
    title: 'a device is chosen by itself',
    message: 'device `{name}` is chosen by itself: {circle}',
  },
  VP2013: {
    severity: 'error',
    title: 'a device class is not known',
    message: '`{text}` is not a class of PCI functions',
  },
  VP2014: {
    severity: 'error',
    title: 'a policy name is not declared',
    message: 'no policy is called `{name}`',
  },
  VP2015: {
    severity: 'error',
    title: 'a policy is for another host',
    message: 'policy `{name}` is not for host `{host}`',
  },
  VP2016: {
    severity: 'error',
    title: 'an errno is not known',
    message: 'no call on VFIO, sysfs or the driver core answers `{text}`',
  },
  VP2017: {
    severity: 'warning',
    title: 'a label that no host has',
    message: 'no host has {what}',
  },
  VP2018: {
    severity: 'error',
    title: 'a test maps memory before it uses a device',
    message: 'nothing was used before this `map`, so that it is answered with EBADF, and not with {expected}',
  },
  VP2019: {
    severity: 'error',
    title: 'a test expects a file that no plan writes',
    message: 'no plan writes `{path}`',
  },
  VP2020: {
    severity: 'warning',
    title: 'a permission for no-IOMMU mode is not whole',
    message: 'no-IOMMU mode is allowed without {missing}',
  },
  VP2101: {
    severity: 'error',
    title: 'a device matches nothing on the machine',
    message: 'device `{name}` matches no function of `{host}`',
  },
  VP2102: {
    severity: 'error',
    title: 'a device matches more than one function',
    message: 'device `{name}` matches {count} functions of `{host}`, and must match one',
  },
  VP2103: {
    severity: 'error',
    title: 'a set of devices has the wrong size',
    message: 'devices `{name}` are {count} functions on `{host}`, and must be {range}',
  },
  VP2104: {
    severity: 'error',
    title: 'another device sits at the address',
    message: 'the function at `{address}` of `{host}` is not the device that `{name}` describes',
  },
  VP2105: {
    severity: 'warning',
    title: 'a range names virtual functions that are not there',
    message: 'devices `{name}` name virtual functions up to {last}, and {address} of `{host}` has {count}',
  },
  VP2106: {
    severity: 'warning',
    title: 'a set of devices is everything',
    message: 'devices `{name}` are all {count} functions of `{host}`: nothing is asked of them',
  },
} as const satisfies Record<`VP2${number}`, Declaration>;
