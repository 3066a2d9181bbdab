/**
 * Provokes what no text can: each name stands in a page's `deed` block, and its function makes the situation and gives
 * back the codes that it saw.
 */
export const provocations: Readonly<Record<string, () => readonly string[] | Promise<readonly string[]>>> =
  {};
