/**
 * Railroad diagrams of the grammar, as SVG made from the parser's own rules: a text follows the line from left to right.
 * Words and marks stand in round boxes, names in plain ones, and other rules in boxes with a thick edge.
 */
import {
  Alternation,
  type IProduction,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatory,
  type Rule,
  Terminal,
} from 'chevrotain';
import { parser } from './parser.ts';
import * as t from './tokens.ts';

/** A part of a diagram; in pixels, from where its line comes in. */
interface Part {
  readonly width: number;
  /** What it needs above its line, and below it. */
  readonly up: number;
  readonly down: number;
  draw(x: number, y: number): string;
}

const letter = 7.3;
const boxHeight = 24;
const gap = 12;
const radius = 10;
const rowGap = 10;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function box(kind: 'word' | 'name' | 'rule', text: string): Part {
  const width = Math.ceil(text.length * letter) + 20;
  const half = boxHeight / 2;
  return {
    width,
    up: half,
    down: half,
    draw: (x, y) =>
      `<rect class="${kind}" x="${x}" y="${y - half}" width="${width}" height="${boxHeight}"${
        kind === 'word' ? ` rx="${half}"` : ''
      }/><text x="${x + width / 2}" y="${y + 4}">${escaped(text)}</text>`,
  };
}

const nothing: Part = { width: 0, up: 0, down: 0, draw: () => '' };

function line(path: string): string {
  return `<path d="${path}"/>`;
}

function row(parts: readonly Part[]): Part {
  const full = parts.filter(({ width }) => width > 0);
  const [only] = full;
  if (full.length < 2) return only ?? nothing;
  return {
    width: full.reduce((sum, { width }) => sum + width, 0) + gap * (full.length - 1),
    up: Math.max(...full.map(({ up }) => up)),
    down: Math.max(...full.map(({ down }) => down)),
    draw(x, y) {
      let at = x;
      return full
        .map((part, index) => {
          const joint = index === 0 ? '' : line(`M${at} ${y}h${gap}`);
          if (index > 0) at += gap;
          const drawn = joint + part.draw(at, y);
          at += part.width;
          return drawn;
        })
        .join('');
    },
  };
}

/** One of several: the first on the line, the others below it. */
function choice(parts: readonly Part[]): Part {
  const [first = nothing, ...others] = parts;
  if (others.length === 0) return first;
  const inner = Math.max(...parts.map(({ width }) => width));
  const offsets: number[] = [];
  let below = first.down;
  for (const { up, down } of others) {
    offsets.push(Math.max(below + rowGap + up, 2 * radius));
    below = (offsets.at(-1) ?? 0) + down;
  }
  const width = inner + 4 * radius;
  return {
    width,
    up: first.up,
    down: below,
    draw(x, y) {
      const left = x + 2 * radius;
      const right = left + inner;
      const straight = (part: Part, height: number) =>
        part.draw(left, height) + line(`M${left + part.width} ${height}H${right}`);
      const branches = others.map((part, index) => {
        const height = y + (offsets[index] ?? 0);
        const into = `M${x} ${y}q${radius} 0 ${radius} ${radius}V${height - radius}q0 ${radius} ${radius} ${radius}`;
        const out = `M${right} ${height}q${radius} 0 ${radius} ${-radius}V${y + radius}q0 ${-radius} ${radius} ${-radius}`;
        return line(into) + straight(part, height) + line(out);
      });
      return (
        line(`M${x} ${y}H${left}`) +
        straight(first, y) +
        line(`M${right} ${y}H${x + width}`) +
        branches.join('')
      );
    },
  };
}

/** Once or more: a line goes back above it. */
function again(part: Part): Part {
  const lift = part.up + rowGap;
  const width = part.width + 2 * radius;
  return {
    width,
    up: lift,
    down: part.down,
    draw(x, y) {
      const [left, right, top] = [x + radius, x + radius + part.width, y - lift];
      const back = `M${right} ${y}q${radius} 0 ${radius} ${-radius}V${top + radius}q0 ${-radius} ${-radius} ${-radius}H${left}q${-radius} 0 ${-radius} ${radius}V${y - radius}q0 ${radius} ${radius} ${radius}`;
      return (
        line(`M${x} ${y}H${left}`) + part.draw(left, y) + line(`M${right} ${y}H${x + width}`) + line(back)
      );
    },
  };
}

function partOf(node: IProduction): Part {
  if (node instanceof Terminal) return terminal(node.terminalType);
  if (node instanceof NonTerminal)
    return t.skippingRule.test(node.nonTerminalName) ? nothing : box('rule', node.nonTerminalName);
  const { definition } = node as unknown as { definition: IProduction[] };
  if (node instanceof Alternation) return choice(definition.map(partOf).filter(({ width }) => width > 0));
  const within = row(definition.map(partOf));
  if (within.width === 0) return nothing;
  if (node instanceof Option) return choice([nothing, within]);
  if (node instanceof Repetition) return choice([nothing, again(within)]);
  return node instanceof RepetitionMandatory ? again(within) : within;
}

/** Keywords and marks as they are written, groups of keywords as a choice, roles by their names. */
function terminal({ name, LABEL = name }: { name: string; LABEL?: string }): Part {
  const words = name === t.Relation.name ? ['>=', '<=', '>', '<', '='] : t.wordsOf(name);
  if (words.length > 0) return choice(words.map((word) => box('word', word)));
  const mark = /^`([^`]+)`$/.exec(LABEL)?.[1];
  return mark === undefined ? box('name', name) : box('word', mark);
}

const style = `
    svg { color-scheme: light dark; }
    .page { fill: #ffffff; stroke: none; }
    path { fill: none; stroke: #57606a; stroke-width: 1.5; }
    rect { stroke: #57606a; stroke-width: 1.5; }
    .word { fill: #ddf4ff; } .name { fill: #fff8c5; } .rule { fill: #f6f8fa; stroke-width: 2.5; }
    text { font: 12px ui-monospace, monospace; text-anchor: middle; fill: #1f2328; }
    .title { font-weight: bold; text-anchor: start; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117; }
      path, rect { stroke: #8b949e; }
      .word { fill: #10304d; } .name { fill: #3d3212; } .rule { fill: #1c2128; }
      text { fill: #e6edf3; }
    }
  `;

/** Rules under one another, as one SVG. */
function drawing(title: string, rules: readonly Rule[]): string {
  const margin = 16;
  let y = margin;
  let widest = 0;
  const drawn = rules.map(({ name, definition }) => {
    const part = row(definition.map(partOf));
    const middle = y + 22 + part.up;
    const [x, end] = [margin + gap + 6, margin + gap + 6 + part.width];
    const begin = `M${margin} ${middle - 6}v12M${margin + 6} ${middle - 6}v12M${margin + 6} ${middle}H${x}`;
    const finish = `M${end} ${middle}h${gap}m0 -6v12m6 -12v12`;
    y = middle + part.down + 18;
    widest = Math.max(widest, end + gap + 6 + margin);
    return `<text class="title" x="${margin}" y="${middle - part.up - 10}">${name}</text>${line(begin)}${part.draw(x, middle)}${line(finish)}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${widest}" height="${y}" viewBox="0 0 ${widest} ${y}" role="img" aria-label="${title}">
  <style>${style}</style>
  <rect class="page" width="${widest}" height="${y}"/>
  ${drawn.join('\n  ')}
</svg>
`;
}

/** The declarations, each with the rules that only it and those before it need. */
const sheets = ['import', 'host', 'device', 'policy', 'test'] as const;

function rulesOf(name: string, seen: Set<string>): Rule[] {
  const rule = parser.getGAstProductions()[name];
  if (rule === undefined || seen.has(name) || t.skippingRule.test(name)) return [];
  seen.add(name);
  return [rule, ...named(rule.definition).flatMap((each) => rulesOf(each, seen))];
}

function named(definition: readonly IProduction[]): string[] {
  return definition.flatMap((node) => {
    if (node instanceof NonTerminal) return [node.nonTerminalName];
    return node instanceof Terminal
      ? []
      : named((node as unknown as { definition: IProduction[] }).definition);
  });
}

/** Path, relative to the repository, to SVG. */
export function diagrams(): Record<string, string> {
  const seen = new Set<string>();
  return Object.fromEntries(
    sheets.map((name) => [
      `grammar/generated/${name}.svg`,
      drawing(`The grammar of ${name}`, rulesOf(name, seen)),
    ]),
  );
}
