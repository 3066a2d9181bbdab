/**
 * What every part of the grammar stands on: how rules recover, and how words that cannot be read are skipped without
 * losing what follows them.
 */
import {
  EmbeddedActionsParser,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type ParserMethod,
  type TokenType,
} from 'chevrotain';
import { endOf } from '../lexer.ts';
import { nearest } from '../nearest.ts';
import * as t from '../tokens.ts';
import type * as tree from '../tree.ts';

const { k, roles } = t;

/** Text with more errors than this in one declaration is no policy: reading goes no further. */
export const errorLimit = 200;

class TooManyErrors extends Error {}

/**
 * The message of an error is the names of the tokens that were expected: wording belongs to the diagnostics. As it is
 * asked once for each error, it also counts them.
 */
class ExpectedNames implements IParserErrorMessageProvider {
  count = 0;

  buildMismatchTokenMessage({ expected }: { expected: TokenType }): string {
    return this.counted([[expected]]);
  }

  buildNotAllInputParsedMessage(): string {
    return this.counted([]);
  }

  buildNoViableAltMessage({ expectedPathsPerAlt }: { expectedPathsPerAlt: TokenType[][][] }): string {
    return this.counted(expectedPathsPerAlt.flat());
  }

  buildEarlyExitMessage({ expectedIterationPaths }: { expectedIterationPaths: TokenType[][] }): string {
    return this.counted(expectedIterationPaths);
  }

  private counted(paths: readonly (readonly TokenType[])[]): string {
    this.count += 1;
    if (this.count > errorLimit) throw new TooManyErrors();
    return [...new Set(paths.flatMap((path) => path.slice(0, 1).map((token) => token.name)))].join('|');
  }
}

/** Every error of the parser knows the token before it; Chevrotain's type leaves it to the subclasses. */
export type RecognitionError = IRecognitionException & { readonly previousToken?: tree.Token };

function broken(error: unknown): tree.BrokenNode {
  const { token, previousToken } = error as RecognitionError;
  const start = Number.isNaN(token.startOffset) ? (previousToken?.startOffset ?? 0) : token.startOffset;
  return { kind: 'broken', start, end: start };
}

/** A rule whose errors end at the statement around it. */
export const inner = { resyncEnabled: false } as const;
/** A rule that skips to the next statement when it is broken. */
export const statement = { recoveryValueFunc: broken };

export abstract class SkippingParser extends EmbeddedActionsParser {
  private readonly expectedNames: ExpectedNames;

  constructor(skipValidations: boolean) {
    const expectedNames = new ExpectedNames();
    super(t.vocabulary, {
      recoveryEnabled: true,
      maxLookahead: 1,
      skipValidations,
      errorMessageProvider: expectedNames,
    });
    this.expectedNames = expectedNames;
  }

  /** Reads tokens by a rule; `undefined` when there are too many errors. They are in `errors` in both cases. */
  protected bounded<T>(tokens: tree.Token[], rule: () => T): T | undefined {
    this.input = tokens;
    this.expectedNames.count = 0;
    try {
      return rule();
    } catch (error) {
      if (error instanceof TooManyErrors) return undefined;
      throw error;
    }
  }

  protected readonly onHost: ParserMethod<[], tree.Token> = this.RULE<() => tree.Token>(
    'onHost',
    () => {
      this.CONSUME(k.on);
      return this.CONSUME(roles.HostName);
    },
    inner,
  );

  protected readonly skippedBlock: ParserMethod<[], void> = this.RULE<() => void>(
    'skippedBlock',
    () => {
      this.CONSUME(t.LBrace);
      this.MANY(() => {
        this.OR([{ ALT: () => this.CONSUME(t.AnyToken) }, { ALT: () => this.SUBRULE(this.skippedBlock) }]);
      });
      this.CONSUME(t.RBrace);
    },
    inner,
  );

  /** Words up to where the next statement begins, at least one. */
  protected rest(name: string, token: TokenType): ParserMethod<[], void> {
    return this.RULE(
      name,
      () => {
        this.AT_LEAST_ONE(() => {
          this.OR([{ ALT: () => this.CONSUME(token) }, { ALT: () => this.SUBRULE(this.skippedBlock) }]);
        });
      },
      inner,
    );
  }

  protected unknown(name: string, rest: ParserMethod<[], void>): ParserMethod<[], tree.UnknownNode> {
    return this.RULE<() => tree.UnknownNode>(
      name,
      () => {
        const word = this.LA(1);
        this.SUBRULE(rest);
        return { kind: 'unknown', word, start: word.startOffset, end: this.end() };
      },
      inner,
    );
  }

  /** The offset after the last token that was read. */
  protected end(): number {
    return this.RECORDING_PHASE ? 0 : endOf(this.LA(0));
  }

  // A brace is not missing when it is the next but one. And a misspelt keyword is no missing one: `too` for `to` would make `too` the next word.
  override canTokenTypeBeInsertedInRecovery(expected: TokenType): boolean {
    const found = this.LA(1);
    if (expected === t.LBrace && this.LA(2).tokenType === t.LBrace) return false;
    return !(
      expected.name.startsWith('"') && nearest(found.image, [expected.name.slice(1, -1)]) !== undefined
    );
  }
}
