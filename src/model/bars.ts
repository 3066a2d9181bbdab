import type { Hardware } from './state.ts';

/** The base address registers of a function: index 0 to 5, and 6 for the ROM. */
export function barOf({ bars }: Hardware, index: number): Hardware['bars'][number] | undefined {
  for (let place = 0; place < bars.length; place += 1) if (bars[place]?.index === index) return bars[place];
  return undefined;
}
