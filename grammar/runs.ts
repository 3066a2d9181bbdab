/** Which words make up a declaration, before any of them is read. */
import { endOf } from './lexer.ts';
import { k, LBrace, RBrace } from './tokens.ts';
import type { Token } from './tree.ts';

const declarators = new Set([k.import, k.host, k.device, k.devices, k.policy, k.test]);

/** The tokens of each declaration: up to a closing brace, an imported file, or a line that begins another. */
export function runsOf(tokens: readonly Token[], text: string): Token[][] {
  const runs: Token[][] = [];
  let run: Token[] = [];
  let depth = 0;
  const end = () => {
    if (run.length > 0) runs.push(run);
    run = [];
    depth = 0;
  };
  for (const token of tokens) {
    const last = run.at(-1);
    if (depth === 0 && last !== undefined && declarators.has(token.tokenType)) {
      const complete = run[0]?.tokenType === k.import && run.length === 2;
      if (complete || /[\r\n]/.test(text.slice(endOf(last), token.startOffset))) end();
    }
    run.push(token);
    if (token.tokenType === LBrace) depth += 1;
    if (token.tokenType === RBrace) {
      depth -= 1;
      if (depth <= 0) end();
    }
  }
  end();
  return runs;
}
