import type { Declaration } from '../declare.ts';

/** Documents that cannot be taken for what they claim to be: snapshots, plans, journals, imported reports. */
const documents = {
  VP3001: {
    severity: 'error',
    title: 'document is not JSON',
    message: 'this {document} is not JSON: {problem}',
  },
  VP3002: {
    severity: 'error',
    title: 'document is too large',
    message: 'this {document} is {size} long; vfioplan reads at most {limit}',
  },
  VP3003: {
    severity: 'error',
    title: 'document is nested too deeply',
    message: 'this {document} has {depth} of objects and lists inside each other',
  },
  VP3004: {
    severity: 'error',
    title: 'field is given twice',
    message: 'the field `{field}` is given twice in one object',
  },
  VP3005: {
    severity: 'error',
    title: 'not the expected kind of document',
    message: 'this is not a {document}: `format` must be `{format}`, not {found}',
  },
  VP3006: {
    severity: 'error',
    title: 'document has another version',
    message: 'this {document} has version {version}; this vfioplan reads version {known}',
  },
  VP3007: {
    severity: 'error',
    title: 'unknown field',
    message: 'a {document} has no field `{field}` at `{pointer}`',
  },
  VP3008: {
    severity: 'error',
    title: 'field is missing',
    message: 'the field `{field}` is missing at `{pointer}`',
  },
  VP3009: {
    severity: 'error',
    title: 'value has the wrong type',
    message: '`{pointer}` must be {expected}, not {found}',
  },
  VP3010: {
    severity: 'error',
    title: 'value is not allowed',
    message: '`{pointer}` must be {expected}, not {found}',
  },
  VP3011: {
    severity: 'error',
    title: 'too many problems',
    message: 'reading this {document} stopped after {count} problems',
  },
  VP3012: {
    severity: 'error',
    title: 'two entries have the same name',
    message: '`{pointer}` names {what} `{name}` a second time',
  },
  VP3013: {
    severity: 'error',
    title: 'snapshot refers to something it does not have',
    message: '`{pointer}` refers to {what} `{name}`, which this snapshot does not have',
  },
  VP3014: {
    severity: 'warning',
    title: 'journal ends in the middle of a record',
    message: 'the last record of this journal is cut off',
  },
  VP3015: {
    severity: 'error',
    title: 'record is out of place',
    message: 'a record `{record}` cannot stand here in a {document}',
  },
  VP3016: {
    severity: 'error',
    title: 'document has too many values',
    message: 'this {document} has {values}',
  },
  VP3030: {
    severity: 'error',
    title: 'not a nixos-facter report',
    message: 'this is not a report of nixos-facter: it has {found}',
  },
  VP3031: {
    severity: 'error',
    title: 'PCI function in a report cannot be read',
    message: 'the PCI function at `{pointer}` cannot be read: {found}',
  },
  VP3032: {
    severity: 'error',
    title: 'report has no PCI functions',
    message: 'this report has no PCI functions',
  },
  VP3040: {
    severity: 'error',
    title: 'machine shows no PCI functions',
    message: 'there is no `{path}` to read PCI functions from',
  },
  VP3041: {
    severity: 'error',
    title: 'PCI function cannot be read',
    message: 'the function {address} cannot be read',
  },
} as const satisfies Record<`VP3${number}`, Declaration>;

export const machine = { ...documents } as const satisfies Record<`VP3${number}`, Declaration>;
