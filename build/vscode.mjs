// `npm run build:vscode`: the VS Code extension, as a folder and as a .vsix, of what `npm run build` made: the command line as
// the language server, the generated grammar, and the brackets and comments that the page has too.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { zip } from './zip.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'editor/vscode');
const folder = join(source, 'dist/extension');

/** What the package installer of VS Code reads; a marketplace would want more. */
function manifestOf({ name, publisher, version, displayName, description, engines }) {
  const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${name}" Version="${version}" Publisher="${publisher}" />
    <DisplayName>${escaped(displayName)}</DisplayName>
    <Description xml:space="preserve">${escaped(description)}</Description>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${escaped(engines.vscode)}" />
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code" />
  </Installation>
  <Dependencies />
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true" />
  </Assets>
</PackageManifest>
`;
}

const types = ['json', 'js', 'mjs', 'md', 'txt', 'vsixmanifest'];
const contentTypes = `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
${types.map((type) => `  <Default Extension=".${type}" ContentType="${type === 'vsixmanifest' ? 'text/xml' : 'text/plain'}" />`).join('\n')}
</Types>
`;

rmSync(join(source, 'dist'), { recursive: true, force: true });
mkdirSync(join(folder, 'server'), { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: ['editor/vscode/extension.ts'],
  outfile: join(folder, 'extension.js'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode'],
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
});
cpSync(join(root, 'dist/vfioplan.mjs'), join(folder, 'server/vfioplan.mjs'));
cpSync(join(root, 'dist/chunks'), join(folder, 'server/chunks'), { recursive: true });
cpSync(join(root, 'grammar/generated/vfioplan.tmLanguage.json'), join(folder, 'vfioplan.tmLanguage.json'));
cpSync(join(root, 'editor/language-configuration.json'), join(folder, 'language-configuration.json'));
cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE.txt'));
cpSync(join(source, 'README.md'), join(folder, 'README.md'));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const extension = { ...JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')), version };
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(extension, null, 2)}\n`);
const first = { '[Content_Types].xml': contentTypes, 'extension.vsixmanifest': manifestOf(extension) };
writeFileSync(join(source, 'dist/vfioplan.vsix'), zip(first, folder, 'extension'));
