/** The language server: the requests of the protocol, each answered by a function of the service. */
import {
  type Connection,
  DidChangeWatchedFilesNotification,
  ErrorCodes,
  type InitializeParams,
  type InitializeResult,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { changeOf } from '../../grammar/changed.ts';
import { format } from '../../src/format/format.ts';
import { actionsIn } from '../service/actions.ts';
import { coloursOf, colourTypes } from '../service/colours.ts';
import { complete } from '../service/completion.ts';
import { hintsIn } from '../service/hints.ts';
import { hoverAt } from '../service/hover.ts';
import { lensesOf } from '../service/lenses.ts';
import { canRename, definitionOf, nameAt, referencesOf, rename } from '../service/names.ts';
import { foldsOf, outlineOf } from '../service/outline.ts';
import type { Spot } from '../service/workspace.ts';
import {
  actionOf,
  editOf,
  foldingOf,
  hintOf,
  itemOf,
  lensOf,
  locationOf,
  symbolOf,
  tokensOf,
} from './convert.ts';
import type { Front } from './front.ts';
import { Sessions } from './sessions.ts';

/** Answers until the connection ends. */
export function serve(connection: Connection, front: Front, version: string): void {
  const documents = new TextDocuments(TextDocument);
  const sessions = new Sessions(connection, front);
  let watches = false;
  connection.onInitialize(({ capabilities }: InitializeParams) => {
    watches = capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
    sessions.refreshes = capabilities.workspace?.inlayHint?.refreshSupport === true;
    return initialized(version);
  });
  connection.onInitialized(async () => {
    if (!watches) return;
    const watchers = [{ globPattern: '**/*.vfio' }, { globPattern: '**/*.json' }];
    await connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
  });
  connection.onDidChangeWatchedFiles(() => sessions.everythingAnew());
  documents.onDidChangeContent(({ document }) =>
    sessions.changed(front.fileOf(document.uri), document.getText()),
  );
  documents.onDidClose(({ document }) => sessions.closed(front.fileOf(document.uri)));
  answerPlaces(connection, sessions);
  answerNames(connection, sessions);
  answerFiles(connection, sessions);
  documents.listen(connection);
  connection.listen();
}

function initialized(version: string): InitializeResult {
  return {
    serverInfo: { name: 'vfioplan', version },
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      completionProvider: { triggerCharacters: [' ', '"', ':', '.'] },
      hoverProvider: true,
      definitionProvider: true,
      referencesProvider: true,
      documentHighlightProvider: true,
      renameProvider: { prepareProvider: true },
      documentSymbolProvider: true,
      foldingRangeProvider: true,
      semanticTokensProvider: {
        legend: { tokenTypes: [...colourTypes], tokenModifiers: ['declaration'] },
        full: true,
        range: true,
      },
      inlayHintProvider: true,
      codeLensProvider: {},
      codeActionProvider: { codeActionKinds: ['quickfix'] },
      documentFormattingProvider: true,
    },
  };
}

interface Placed {
  readonly textDocument: { readonly uri: string };
  readonly position: { readonly line: number; readonly character: number };
}

function spotOf(sessions: Sessions, { textDocument, position }: Placed): Spot {
  const file = sessions.fileOf(textDocument.uri);
  return { file, offset: sessions.positionsIn(file).offset(position) };
}

/** What is asked of a place. */
function answerPlaces(connection: Connection, sessions: Sessions): void {
  connection.onCompletion((params) => {
    const spot = spotOf(sessions, params);
    const session = sessions.of(spot.file);
    if (session === undefined) return [];
    const positions = sessions.positionsIn(spot.file);
    return complete(session.workspace, session.meaning, spot).map((offer, index) =>
      itemOf(offer, index, positions),
    );
  });
  connection.onHover((params) => {
    const spot = spotOf(sessions, params);
    const session = sessions.of(spot.file);
    const hover = session && hoverAt(session.workspace, session.meaning, spot);
    if (hover === undefined) return null;
    return {
      contents: { kind: 'markdown', value: hover.paragraphs.join('\n\n') },
      range: sessions.positionsIn(spot.file).range(hover.span),
    };
  });
}

/** What is asked of a name. */
function answerNames(connection: Connection, sessions: Sessions): void {
  const at = (params: Placed) => {
    const spot = spotOf(sessions, params);
    const workspace = sessions.around(spot.file);
    return workspace && { spot, workspace };
  };
  connection.onDefinition((params) => {
    const asked = at(params);
    if (asked === undefined) return [];
    return definitionOf(asked.workspace, asked.spot).map((place) => locationOf(place, sessions));
  });
  connection.onReferences((params) => {
    const asked = at(params);
    if (asked === undefined) return [];
    return referencesOf(asked.workspace, asked.spot)
      .filter(({ declares }) => !declares || params.context.includeDeclaration)
      .map(({ place }) => locationOf(place, sessions));
  });
  connection.onDocumentHighlight((params) => {
    const asked = at(params);
    if (asked === undefined) return [];
    return referencesOf(asked.workspace, asked.spot)
      .filter(({ place }) => place.file === asked.spot.file)
      .map(({ place }) => ({ range: locationOf(place, sessions).range }));
  });
  connection.onPrepareRename((params) => {
    const asked = at(params);
    const name = asked && canRename(asked.workspace, asked.spot);
    return name ? locationOf(name.place, sessions).range : null;
  });
  connection.onRenameRequest((params) => {
    const asked = at(params);
    if (asked === undefined || nameAt(asked.workspace, asked.spot) === undefined) return null;
    const renaming = rename(asked.workspace, asked.spot, params.newName);
    if ('refused' in renaming) return new ResponseError<void>(ErrorCodes.InvalidRequest, renaming.refused);
    return editOf(renaming.edits, sessions);
  });
}

/** What is asked of a whole file, or of a range of it. */
function answerFiles(connection: Connection, sessions: Sessions): void {
  const of = ({ textDocument }: Pick<Placed, 'textDocument'>) => {
    const file = sessions.fileOf(textDocument.uri);
    const session = sessions.of(file);
    const reading = session?.workspace.readings.get(file);
    return session && reading && { file, session, reading, positions: sessions.positionsIn(file) };
  };
  connection.onDocumentSymbol((params) => {
    const asked = of(params);
    return asked ? outlineOf(asked.reading).map((one) => symbolOf(one, asked.positions)) : [];
  });
  connection.onCodeLens((params) => {
    const asked = of(params);
    if (asked === undefined) return [];
    const { uri } = params.textDocument;
    return lensesOf(asked.reading).map((lens) => lensOf(lens, uri, asked.positions));
  });
  connection.onFoldingRanges((params) => {
    const asked = of(params);
    return asked ? foldsOf(asked.reading).map(foldingOf) : [];
  });
  connection.languages.semanticTokens.on((params) => {
    const asked = of(params);
    return { data: asked ? tokensOf(coloursOf(asked.reading), asked.positions) : [] };
  });
  connection.languages.semanticTokens.onRange((params) => {
    const asked = of(params);
    if (asked === undefined) return { data: [] };
    const within = asked.positions.span(params.range);
    return { data: tokensOf(coloursOf(asked.reading, within), asked.positions) };
  });
  connection.languages.inlayHint.on((params) => {
    const asked = of(params);
    const meaning = asked?.session.meaning;
    // Places of an older text would stand anywhere: the second wave asks the client to ask again.
    if (asked === undefined || meaning === undefined || !asked.session.isFresh) return [];
    return hintsIn(meaning, asked.file, asked.positions.span(params.range)).map((hint) =>
      hintOf(hint, asked.positions),
    );
  });
  connection.onCodeAction((params) => {
    const asked = of(params);
    if (asked === undefined) return [];
    const span = asked.positions.span(params.range);
    return actionsIn(sessions.diagnosticsOf(asked.file), asked.file, span).map((action) =>
      actionOf(action, sessions),
    );
  });
  connection.onDocumentFormatting((params) => {
    const asked = of(params);
    if (asked === undefined) return [];
    const { text: old } = asked.reading;
    const { text: now, diagnostics } = format(asked.file, old);
    const error = diagnostics.find(({ severity }) => severity === 'error');
    if (error !== undefined) return new ResponseError<void>(ErrorCodes.InvalidRequest, error.message);
    if (old === now) return [];
    const { start, oldEnd, newEnd } = changeOf(old, now);
    return [{ range: asked.positions.range({ start, end: oldEnd }), newText: now.slice(start, newEnd) }];
  });
}
