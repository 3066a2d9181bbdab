import type { Declaration } from '../declare.ts';

/** What is wrong with the words of a policy file, whatever machine it is for. */
export const words = {
  VP1001: {
    severity: 'error',
    title: 'unexpected character',
    message: 'unexpected `{text}`',
  },
  VP1002: {
    severity: 'error',
    title: 'text is not closed',
    message: 'this text has no closing quote on its line',
  },
  VP1003: {
    severity: 'error',
    title: 'block is not closed',
    message: 'this block has no closing brace',
  },
  VP1004: {
    severity: 'error',
    title: 'a word is missing',
    message: 'expected {expected}{after}, found {found}',
  },
  VP1005: {
    severity: 'error',
    title: 'unknown statement',
    message: '`{word}` begins no statement {where}',
  },
  VP1006: {
    severity: 'error',
    title: 'text that belongs to no declaration',
    message: '`{text}` belongs to no declaration',
  },
  VP1007: {
    severity: 'error',
    title: 'not a PCI address',
    message: '`{text}` is not a PCI address',
  },
  VP1008: {
    severity: 'error',
    title: 'not a vendor and device id',
    message: '`{text}` is not a vendor and device id',
  },
  VP1009: {
    severity: 'error',
    title: 'not a date',
    message: '`{text}` is not a date',
  },
  VP1010: {
    severity: 'error',
    title: 'not a kernel version',
    message: '`{text}` is not a kernel version',
  },
  VP1011: {
    severity: 'error',
    title: 'not a number',
    message: '`{text}` is not a number from {min} to {max}',
  },
  VP1013: {
    severity: 'error',
    title: 'text is too large',
    message: '{what} has {size} characters; at most {limit} are read',
  },
  VP1014: {
    severity: 'error',
    title: 'too many diagnostics',
    message: 'too many diagnostics in this file: the first {limit} are shown',
  },
  VP1015: {
    severity: 'error',
    title: 'nested too deeply',
    message: 'blocks nest deeper than {limit}',
  },
  VP1016: {
    severity: 'error',
    title: 'hidden character',
    message: 'hidden character {codePoint} changes the order in which the text is shown',
  },
  VP1017: {
    severity: 'error',
    title: 'not UTF-8 text',
    message: 'the file is not UTF-8 text: {what}',
  },
  VP1018: {
    severity: 'error',
    title: 'unknown escape',
    message: '`{text}` means nothing in a text',
  },
  VP1019: {
    severity: 'error',
    title: 'not a usable name',
    message: '`{text}` cannot be {what}',
  },
  VP1020: {
    severity: 'error',
    title: 'said twice',
    message: '`{word}` is said twice',
  },
  VP1021: {
    severity: 'error',
    title: 'text needs quotes',
    message: '`{text}` must stand in quotes',
  },
  VP1022: {
    severity: 'error',
    title: 'not a MAC address',
    message: '`{text}` is not a MAC address',
  },
  VP1023: {
    severity: 'error',
    title: 'not a capability',
    message: '`{text}` is not a Linux capability',
  },
  VP1025: {
    severity: 'error',
    title: 'not a way to reset',
    message: '`{text}` is no way to reset a function',
  },
  VP1026: {
    severity: 'error',
    title: 'not a unit of memory',
    message: '`{text}` is no unit of memory',
  },
  VP1027: {
    severity: 'error',
    title: 'not an answer of the kernel',
    message: '`{text}` is neither `ok` nor an errno',
  },
  VP1028: {
    severity: 'error',
    title: 'not an I/O address',
    message: '`{text}` is not an I/O address',
  },
  VP1029: {
    severity: 'error',
    title: 'not a code',
    message: 'no diagnostic has the code `{text}`',
  },
  VP1030: {
    severity: 'error',
    title: 'too many declarations',
    message: 'the file has more than {limit} declarations, and is not read',
  },
  VP1031: {
    severity: 'error',
    title: 'not a unit of time',
    message: '`{text}` is no unit of time',
  },
  VP1032: {
    severity: 'error',
    title: 'not what a file can say',
    message: '`{text}` is no {what} of a file',
  },
  VP1033: {
    severity: 'warning',
    title: 'a text says nothing',
    message: '{what} says nothing',
  },
  VP1034: {
    severity: 'error',
    title: 'a count of one device',
    message: '`device` is exactly one function, and takes no `count`',
  },
  VP1024: {
    severity: 'error',
    title: 'empty range',
    message: 'no number is from {min} to {max}',
  },
  VP1090: {
    severity: 'warning',
    title: 'not formatted',
    message: 'what stands here is not formatted, and stays as it is',
  },
} as const satisfies Record<`VP1${number}`, Declaration>;
