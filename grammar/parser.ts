/**
 * The grammar, one rule a statement, in `rules/`. Embedded actions build the nodes of `tree.ts`: measured here four
 * times as fast as a generic tree. Recovery is Chevrotain's, with decisions of ours: every statement begins with a
 * keyword, so a broken one is skipped up to the next; words that begin no statement are a statement of their own
 * (`unknown`), so that they never close a block; a missing word is made up only where the next one fits.
 */
import type { ParserMethod } from 'chevrotain';
import { endOf } from './lexer.ts';
import { inner, statement } from './rules/skipping.ts';
import { TestParser } from './rules/tests.ts';
import * as t from './tokens.ts';
import type * as tree from './tree.ts';

const { k, roles } = t;

export interface Expected {
  readonly token: string;
  readonly rule: string;
}

export class DeclarationParser extends TestParser {
  /** Chevrotain's checks of the grammar itself cost 10 ms at every start, so only a test asks for them. */
  constructor(options: { readonly validate: boolean }) {
    super(!options.validate);
    this.performSelfAnalysis();
  }

  /** One declaration, whatever the tokens. */
  read(tokens: tree.Token[]): tree.DeclarationNode {
    const last = tokens.at(-1);
    const end = last === undefined ? 0 : endOf(last);
    return this.bounded(tokens, () => this.declaration()) ?? { kind: 'broken', start: 0, end };
  }

  /**
   * What may come after the tokens of one declaration's beginning: the names of tokens and roles, each with the rule that
   * asks for it. Rules that only skip ask for nothing.
   */
  after(tokens: tree.Token[]): readonly Expected[] {
    const found = new Map<string, Expected>();
    for (const { nextTokenType, ruleStack } of this.computeContentAssist('declaration', tokens)) {
      const rule = ruleStack.at(-1) ?? 'declaration';
      if (!t.skippingRule.test(rule)) found.set(nextTokenType.name, { token: nextTokenType.name, rule });
    }
    return [...found.values()];
  }

  private readonly declaration: ParserMethod<[], tree.DeclarationNode> = this.RULE<
    () => tree.DeclarationNode
  >(
    'declaration',
    () =>
      this.OR<tree.DeclarationNode>([
        { ALT: () => this.SUBRULE(this.importFile) },
        { ALT: () => this.SUBRULE(this.host) },
        { ALT: () => this.SUBRULE(this.device) },
        { ALT: () => this.SUBRULE(this.policy) },
        { ALT: () => this.SUBRULE(this.test) },
        // Whatever begins no other declaration.
        { ALT: () => this.SUBRULE(this.unknownDeclaration), IGNORE_AMBIGUITIES: true },
      ]),
    statement,
  );

  private readonly importFile: ParserMethod<[], tree.ImportNode> = this.RULE<() => tree.ImportNode>(
    'import',
    () => {
      const start = this.CONSUME(k.import).startOffset;
      const path = this.CONSUME(roles.File);
      return { kind: 'import', path, start, end: this.end() };
    },
    inner,
  );

  private readonly restOfFile = this.rest('restOfFile', t.AnyToken);
  private readonly unknownDeclaration = this.unknown('unknownDeclaration', this.restOfFile);
}

/** The one parser: building it takes some 15 ms, reading with it changes nothing but its input. */
export const parser = new DeclarationParser({ validate: false });
