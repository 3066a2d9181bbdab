import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';

/** One line for what is wrong, then why, what the kernel would say, and what to do. */
export function explanationOf({ message, causes, kernel, cures }: Diagnostic): string[] {
  const lines = [message, ...causes.map((cause) => `because ${cause}`)];
  if (kernel !== undefined) {
    lines.push(`kernel: ${kernel.step} fails with ${kernel.errno}: ${kernel.guard}`, `(${kernel.citation})`);
  }
  return [...lines, ...cures.map((cure) => `help: ${cure}`)];
}
