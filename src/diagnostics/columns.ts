/** Marks that stand over or under the letter before them. */
const combining = /^[\p{Mn}\p{Me}]$/u;
/** East Asian wide and full-width characters, and pictures: two columns each (Unicode 16, EastAsianWidth.txt, W and F). */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** How many columns a terminal uses for the text. */
export function columns(text: string): number {
  let count = 0;
  for (const character of text) {
    if (character <= '\u02ff') count += 1;
    else if (!combining.test(character)) count += wide.test(character) ? 2 : 1;
  }
  return count;
}
