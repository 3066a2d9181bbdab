// How a benchmark says what it measured.

export const now = () => performance.now();

export function say(what: string, figure: string, note = ''): void {
  console.log(`${what.padEnd(58)} ${figure.padStart(16)}   ${note}`);
}

export function sorted(times: readonly number[]): readonly number[] {
  return [...times].sort((a, b) => a - b);
}

/** The value below which `share` of the sorted times lie. */
export function quantile(times: readonly number[], share: number): number {
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
}

export function milliseconds(time: number): string {
  return `${time.toFixed(time < 10 ? 2 : 0)} ms`;
}

/** Rates per second of five windows; the highest tells what the code can do, the lowest what else the machine did. */
export async function rate(what: string, work: () => number | Promise<number>): Promise<void> {
  const rates: number[] = [];
  for (let window = 0; window < 5; window++) {
    const from = now();
    const done = await work();
    rates.push(done / ((now() - from) / 1000));
  }
  const shown = sorted(rates).map((each) => Math.round(each).toLocaleString('en'));
  say(what, `${shown.at(-1)} /s`, `lowest of five windows ${shown[0]} /s`);
}
