/** The VS Code extension: starts the language server that it carries, and connects the editor to it. */
import {
  commands,
  type ExtensionContext,
  ProcessExecution,
  Task,
  TaskScope,
  tasks,
  Uri,
  workspace,
} from 'vscode';
import { LanguageClient, type ServerOptions, TransportKind } from 'vscode-languageclient/node';

let client: LanguageClient | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    workspace.onDidChangeConfiguration(async (changed) => {
      if (!changed.affectsConfiguration('vfioplan')) return;
      await client?.stop();
      await start(context);
    }),
  );
  context.subscriptions.push(
    commands.registerCommand('vfioplan.test', (uri: string, name: string) => runTest(context, uri, name)),
  );
  await start(context);
}

async function start(context: ExtensionContext): Promise<void> {
  client = new LanguageClient('vfioplan', 'vfioplan', serverFor(context), {
    documentSelector: [{ language: 'vfio' }],
  });
  await client.start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

/** The lens on a test: the command line's own run of it, in a terminal. */
async function runTest(context: ExtensionContext, uri: string, name: string): Promise<void> {
  const command = workspace.getConfiguration('vfioplan').get<string>('command', '');
  const args = ['test', Uri.parse(uri).fsPath, '--filter', name];
  const execution =
    command !== ''
      ? new ProcessExecution(command, args)
      : new ProcessExecution(process.execPath, [carried(context), ...args], {
          // VS Code's own program is Node when it is told so.
          env: { ELECTRON_RUN_AS_NODE: '1' },
        });
  const task = new Task({ type: 'vfioplan' }, TaskScope.Workspace, name, 'vfioplan', execution);
  await tasks.executeTask(task);
}

/** The program that the extension carries. */
function carried(context: ExtensionContext): string {
  return context.asAbsolutePath('server/vfioplan.mjs');
}

function serverFor(context: ExtensionContext): ServerOptions {
  const settings = workspace.getConfiguration('vfioplan');
  const machines = settings.get<readonly string[]>('machines', []);
  const args = ['lsp', ...machines.flatMap((machine) => ['--machine', machine])];
  const command = settings.get<string>('command', '');
  if (command !== '') return { command, args, transport: TransportKind.stdio };
  const module = carried(context);
  return { module, args, transport: TransportKind.stdio };
}
