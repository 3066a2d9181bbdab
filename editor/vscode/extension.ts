/** The VS Code extension: starts the language server that it carries, and connects the editor to it. */
import { type ExtensionContext, workspace } from 'vscode';
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

function serverFor(context: ExtensionContext): ServerOptions {
  const settings = workspace.getConfiguration('vfioplan');
  const machines = settings.get<readonly string[]>('machines', []);
  const args = ['lsp', ...machines.flatMap((machine) => ['--machine', machine])];
  const command = settings.get<string>('command', '');
  if (command !== '') return { command, args, transport: TransportKind.stdio };
  const module = context.asAbsolutePath('server/vfioplan.mjs');
  return { module, args, transport: TransportKind.stdio };
}
