import { longestTime, timeUnits } from '../../src/syntax/measures.ts';
import { isDate } from '../../src/syntax/values.ts';
import type { Format, Options } from './invocation.ts';
import { dateOf, type Io } from './io.ts';

/** A value that an option cannot have; `word` is the one to point at. */
export interface Mistake {
  readonly mistake: string;
  readonly word: string;
  readonly cure: string;
}

/** Each is a thread that holds a machine of its own. */
const mostJobs = 256;

/** Turns what commander gathered into typed options: defaults filled in, values checked. */
export function optionsFrom(io: Io, given: Readonly<Record<string, unknown>>): Options | Mistake {
  const today = text(given['today']);
  if (today !== undefined && !isDate(today)) {
    return {
      mistake: `\`${today}\` is not a date`,
      word: today,
      cure: 'write it as YYYY-MM-DD: `--today 2027-03-01`',
    };
  }
  const port = text(given['port']) ?? '8647';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    return { mistake: `\`${port}\` is not a TCP port`, word: port, cure: 'give a number from 0 to 65535' };
  }
  const jobs = jobsOf(given);
  if (typeof jobs === 'object') return jobs;
  const input = text(given['input']);
  if (input !== undefined && input !== 'trace' && input !== 'strace') {
    return { mistake: `\`${input}\` is not a kind of input`, word: input, cure: 'it is `trace` or `strace`' };
  }
  const machine = Array.isArray(given['machine']) ? given['machine'].map(String) : [];
  if (given['native'] === true && machine[0] !== undefined) {
    return {
      mistake: 'a command with --native reads this machine, and takes no snapshot',
      word: machine[0],
      cure: 'leave --machine away, or --native',
    };
  }
  const confirmWithin = confirmWithinOf(given);
  if (typeof confirmWithin === 'object') return confirmWithin;
  const host = text(given['host']);
  const out = text(given['out']);
  const junit = text(given['junit']);
  const clientProcessId = text(given['clientProcessId']);
  const stateDir = text(given['stateDir']);
  const sysroot = text(given['sysroot']);
  const profile = text(given['profile']);
  return {
    format: formatOf(given['format']),
    machine,
    live: given['live'] === true,
    today: today ?? dateOf(io),
    todayIsGiven: today !== undefined,
    strict: given['strict'] === true,
    ...(host === undefined ? {} : { host }),
    ...(out === undefined ? {} : { out }),
    filter: Array.isArray(given['filter']) ? given['filter'].map(String) : [],
    coverage: given['coverage'] === true,
    ...(junit === undefined ? {} : { junit }),
    ...(jobs === undefined ? {} : { jobs }),
    detailedExitcode: given['detailedExitcode'] === true,
    ...(profile === undefined ? {} : { profile }),
    ...(input === undefined ? {} : { input }),
    fix: given['fix'] === true,
    check: given['check'] === true,
    diff: given['diff'] === true,
    native: given['native'] === true,
    ...(confirmWithin === undefined ? {} : { confirmWithin }),
    allowChanges: given['allowChanges'] === true,
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(sysroot === undefined ? {} : { sysroot }),
    stdio: given['stdio'] === true,
    ...(clientProcessId === undefined ? {} : { clientProcessId }),
    port: Number(port),
  };
}

/** Human, unless the word is another format; which of them a command has is seen where it is typed. */
export function formatOf(word: unknown): Format {
  return word === 'json' || word === 'sarif' ? word : 'human';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function jobsOf(given: Readonly<Record<string, unknown>>): number | Mistake | undefined {
  const word = text(given['jobs']);
  if (word === undefined || (/^[1-9]\d{0,2}$/.test(word) && Number(word) <= mostJobs))
    return word === undefined ? undefined : Number(word);
  return {
    mistake: `\`${word}\` is not a number of tests to run at once`,
    word,
    cure: `give a number from 1 to ${mostJobs}`,
  };
}

/** Seconds, or what is wrong with them. */
function confirmWithinOf(given: Readonly<Record<string, unknown>>): number | Mistake | undefined {
  const word = text(given['confirmWithin']);
  if (word === undefined) return undefined;
  const seconds = secondsOf(word);
  if (seconds === null) {
    return {
      mistake: `\`${word}\` is not a time to confirm something in`,
      word,
      cure: 'write it like `120s`, `5min` or `1h`, from a second to a day',
    };
  }
  if (given['native'] === true) return seconds;
  return {
    mistake: 'a rehearsal leaves nothing that somebody would have to confirm',
    word,
    cure: 'give `--native` too, or leave `--confirm-within` away',
  };
}

/** `120s`, `5min`, `1h` in seconds, as policies write it; null: no such time. */
function secondsOf(text: string): number | null {
  const [, amount, unit] = /^([1-9]\d{0,4}) ?([a-z]+)$/.exec(text) ?? [];
  const seconds = Number(amount) * (timeUnits[unit ?? ''] ?? Number.NaN);
  return seconds <= longestTime ? seconds : null;
}
