import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  type ClientCapabilities,
  createProtocolConnection,
  type Diagnostic,
  DidChangeTextDocumentNotification,
  DidChangeWatchedFilesNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  InitializedNotification,
  InitializeRequest,
  type InitializeResult,
  type Message,
  type Position,
  type ProtocolConnection,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams,
  type Range,
  RegistrationRequest,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type TextEdit,
} from 'vscode-languageserver-protocol/node';

const program = fileURLToPath(new URL('../../../dist/vfioplan.mjs', import.meta.url));

const capabilities: ClientCapabilities = {
  workspace: {
    didChangeWatchedFiles: { dynamicRegistration: true },
    inlayHint: { refreshSupport: true },
  },
};

/** What the client of VS Code adds to the words that start a server. */
const asVsCode = ['--stdio', `--clientProcessId=${process.pid}`];

/** Notes what is sent by its method. */
class NotingWriter extends StreamMessageWriter {
  readonly methods = new Set<string>();

  override write(message: Message): Promise<void> {
    if ('method' in message) this.methods.add(String(message.method));
    return super.write(message);
  }
}

/** A client of the built command, as an editor is one. */
export class Client {
  readonly connection: ProtocolConnection;
  readonly process: ChildProcessWithoutNullStreams;
  /** What the server asked to be told of: method and options. */
  readonly watched: (readonly [method: string, options: unknown])[] = [];
  /** The methods of all that was asked and told. */
  readonly sent: ReadonlySet<string>;
  /** How often the server asked to have its hints asked for again. */
  refreshes = 0;
  result: InitializeResult | undefined;
  /** All that was published, in order. */
  readonly published: PublishDiagnosticsParams[] = [];
  private readonly texts = new Map<string, { version: number; text: string }>();
  private readonly listeners = new Set<() => void>();

  private constructor(folder: string, words: readonly string[]) {
    if (!existsSync(program)) throw new Error('dist/vfioplan.mjs is not built: run `npm run build` first');
    this.process = spawn(process.execPath, [program, 'lsp', ...asVsCode, ...words], { cwd: folder });
    const reader = new StreamMessageReader(this.process.stdout);
    const writer = new NotingWriter(this.process.stdin);
    this.sent = writer.methods;
    this.connection = createProtocolConnection(reader, writer);
    this.connection.onNotification(PublishDiagnosticsNotification.type, (params) => {
      this.published.push(params);
      for (const listener of this.listeners) listener();
    });
    this.connection.onRequest(RegistrationRequest.type, ({ registrations }) => {
      for (const { method, registerOptions } of registrations) this.watched.push([method, registerOptions]);
    });
    this.connection.onRequest('workspace/inlayHint/refresh', () => {
      this.refreshes += 1;
      return null;
    });
    this.connection.listen();
  }

  static async start(folder: string, ...words: readonly string[]): Promise<Client> {
    const client = new Client(folder, words);
    const rootUri = pathToFileURL(folder).href;
    const params = { processId: process.pid, rootUri, capabilities, workspaceFolders: null };
    client.result = await client.connection.sendRequest(InitializeRequest.type, params);
    await client.connection.sendNotification(InitializedNotification.type, {});
    return client;
  }

  async open(uri: string, text: string): Promise<void> {
    this.texts.set(uri, { version: 1, text });
    const textDocument = { uri, languageId: 'vfio', version: 1, text };
    await this.connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  }

  async close(uri: string): Promise<void> {
    this.texts.delete(uri);
    await this.connection.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } });
  }

  textOf(uri: string): string {
    return this.texts.get(uri)?.text ?? '';
  }

  position(uri: string, offset: number): Position {
    const lines = this.textOf(uri).slice(0, offset).split('\n');
    return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
  }

  /** Where some words stand for the first time, and as many characters on. */
  find(uri: string, words: string, after = 0): { textDocument: { uri: string }; position: Position } {
    const offset = this.textOf(uri).indexOf(words);
    if (offset < 0) throw new Error(`${uri} has no ${words}`);
    return { textDocument: { uri }, position: this.position(uri, offset + after) };
  }

  offset(uri: string, { line, character }: Position): number {
    const before = this.textOf(uri).split('\n').slice(0, line);
    return before.reduce((sum, each) => sum + each.length + 1, 0) + character;
  }

  /** Puts `by` in place of some words, as a key does: by a range. */
  async replace(uri: string, words: string, by: string): Promise<void> {
    const start = this.textOf(uri).indexOf(words);
    if (start < 0) throw new Error(`${uri} has no ${words}`);
    const range = { start: this.position(uri, start), end: this.position(uri, start + words.length) };
    const text = this.textOf(uri);
    const version = (this.texts.get(uri)?.version ?? 0) + 1;
    this.texts.set(uri, { version, text: text.slice(0, start) + by + text.slice(start + words.length) });
    await this.connection.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri, version },
      contentChanges: [{ range, text: by }],
    });
  }

  /** What stands in a range. */
  words(uri: string, { start, end }: Range): string {
    return this.textOf(uri).slice(this.offset(uri, start), this.offset(uri, end));
  }

  /** The text with edits made, as an editor makes them. */
  edited(uri: string, edits: readonly TextEdit[]): string {
    let text = this.textOf(uri);
    const from = (edit: TextEdit) => this.offset(uri, edit.range.start);
    for (const edit of [...edits].sort((a, b) => from(b) - from(a)))
      text = text.slice(0, from(edit)) + edit.newText + text.slice(this.offset(uri, edit.range.end));
    return text;
  }

  /** Waits until what is published of a file is as wanted: the first and the second wave may both come before. */
  async diagnostics(
    uri: string,
    wanted: (codes: readonly unknown[]) => boolean,
  ): Promise<readonly Diagnostic[]> {
    for (;;) {
      const last = this.published.findLast((each) => each.uri === uri);
      if (last !== undefined && wanted(last.diagnostics.map(({ code }) => code))) return last.diagnostics;
      await new Promise<void>((resolve) => {
        this.listeners.add(resolve);
      });
    }
  }

  /** Waits until the answer to a question is there: what the second wave has to come before. */
  async eventually<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
    for (;;) {
      const answer = await ask();
      if (wanted(answer)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async changedOutside(uri: string): Promise<void> {
    const changes = [{ uri, type: 2 as const }];
    await this.connection.sendNotification(DidChangeWatchedFilesNotification.type, { changes });
  }

  /** Ends as the protocol says, and answers the exit code. */
  async end(): Promise<number | null> {
    const ended = once(this.process, 'exit');
    await this.connection.sendRequest(ShutdownRequest.type);
    await this.connection.sendNotification(ExitNotification.type);
    const [code] = await ended;
    this.connection.dispose();
    return code;
  }
}
