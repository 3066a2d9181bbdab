import { cut } from '../../grammar/blocks.ts';
import { endOf, lex } from '../../grammar/lexer.ts';
import { check } from '../../src/check/check.ts';
import { format } from '../../src/format/format.ts';
import { readDocument } from '../../src/syntax/read.ts';
import { machine } from '../machines.ts';

/** No input of this kind may take longer, in milliseconds of the processor: what else a machine does is not the text's. */
const slowest = 1000;

const snapshot = machine({
  hostname: 'edge-01',
  functions: [
    { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e', group: 7 },
    { at: '03:00.1', id: '8086:1572', class: 'nic', driver: 'i40e', group: 7 },
    { at: '04:00.0', id: '144d:a80a', class: '010802', driver: 'nvme', group: 8 },
    { at: '0a:00.0', id: '10de:2684', class: '030000', driver: 'nouveau', group: 9 },
  ],
});

/** What one text did, or undefined: it was answered in time, no byte was lost, and nothing was thrown. */
export function trial(text: string): string | undefined {
  const from = process.cpuUsage();
  try {
    const wrong = lost(text) ?? answered(text);
    if (wrong !== undefined) return wrong;
  } catch (error) {
    return `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const { user, system } = process.cpuUsage(from);
  const took = (user + system) / 1000;
  return took > slowest ? `took ${Math.round(took)} ms` : undefined;
}

/** The pieces that are parsed are the text, and so are tokens, comments and what is neither. */
function lost(text: string): string | undefined {
  const pieces = [...cut(text)].map((piece) => piece.text).join('');
  if (pieces !== text) return 'the pieces are not the text';
  const { tokens, comments, unexpected } = lex(text);
  const parts = [...tokens, ...comments, ...unexpected].sort((a, b) => a.startOffset - b.startOffset);
  let at = 0;
  for (const part of parts) {
    if (part.startOffset < at) return `two tokens at ${part.startOffset}`;
    if (/[^\s\ufeff]/.test(text.slice(at, part.startOffset))) return `nothing stands for offset ${at}`;
    at = endOf(part);
  }
  return /[^\s\ufeff]/.test(text.slice(at)) ? `nothing stands for offset ${at}` : undefined;
}

/** Reader, formatter, resolver and checker: the formatter proves itself, and reports a bug of its own as VP9002. */
function answered(text: string): string | undefined {
  const { diagnostics } = readDocument('a.vfio', text);
  for (const { code, place } of diagnostics)
    if (place.span.start < 0 || place.span.end > text.length || place.span.end < place.span.start)
      return `${code} stands outside of the text`;
  const laid = format('a.vfio', text);
  if (laid.diagnostics.some(({ code }) => code === 'VP9002')) return 'the formatter has a bug (VP9002)';
  if (format('a.vfio', laid.text).text !== laid.text) return 'formatted twice, it is another text';
  const machines = [{ name: 'edge-01', snapshot }];
  check({ sources: [{ file: 'a.vfio', text }], machines, today: '2026-11-22' });
  return undefined;
}
