import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import schema from '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json' with { type: 'json' };
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { codes } from '../../../src/diagnostics/codes.ts';
import { machine } from '../../machines.ts';
import { readPage, readSetting } from '../../pages/page.ts';
import { inFolder, vfioplan } from './world.ts';

/** The schema of SARIF 2.1.0 as its authors publish it; draft 4, in which it uses nothing that draft 7 does not have. */
const { $schema: _, id: __, ...draft7 } = schema;
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
ajv.addFormat('uri', (text: string) => URL.canParse(text));
ajv.addFormat(
  'uri-reference',
  (text: string) => URL.canParse(text, 'file:///') && !/[\s"<>\\^`{|}]/.test(text),
);
ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)));
const validate = ajv.compile(draft7);

function valid(text: string): unknown {
  const log: unknown = JSON.parse(text);
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  return log;
}

interface Log {
  readonly runs: readonly [
    {
      readonly tool: {
        readonly driver: {
          readonly rules: readonly { readonly id: string; readonly help: { readonly markdown: string } }[];
        };
      };
      readonly results: readonly Result[];
    },
  ];
}

interface Region {
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly charOffset: number;
  readonly charLength: number;
}

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation?: {
      readonly region: Region;
      readonly artifactLocation: { readonly uri: string };
    };
  }[];
  readonly relatedLocations?: readonly { readonly message: { readonly text: string } }[];
  readonly fixes?: readonly unknown[];
  readonly properties?: { readonly kernel: { readonly errno: string } };
}

test('the schema refuses what is no log', () => {
  expect(validate({ version: '2.1.0' })).toBe(false);
  expect(validate({ version: '2.1.0', runs: [{ tool: { driver: {} }, results: [] }] })).toBe(false);
  const location = { physicalLocation: { artifactLocation: { uri: 'a b' }, region: { startLine: 0 } } };
  const result = { message: { text: 'x' }, locations: [location] };
  expect(validate({ version: '2.1.0', runs: [{ tool: { driver: { name: 'x' } }, results: [result] }] })).toBe(
    false,
  );
});

/** The log of a policy on a machine with one card, and the URI that the policy has there. */
function logOf(text: string): Promise<{ readonly log: Log; readonly uri: string }> {
  return inFolder(async (folder) => {
    const file = join(folder, 'ä b.vfio');
    const card = { at: '03:00.0', id: '8086:1572', class: 'nic', driver: 'i40e' } as const;
    writeFileSync(file, text);
    writeFileSync(join(folder, 'h.json'), JSON.stringify(machine({ hostname: 'h', functions: [card] })));
    const argv = ['check', file, '--machine', `h=${join(folder, 'h.json')}`, '--format', 'sarif'];
    const { code, out, err } = await vfioplan(argv);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    return { log: valid(out) as Log, uri: `file://${folder}/${encodeURIComponent('ä b.vfio')}` };
  });
}

const policy =
  'device card { at 0000:03:00.0 }\npolicy a on h {\n  bind card to vfio-pci; bind card to i40e\n}\n';

test('a mistake with its place, its fixes, and its page', async () => {
  const { log, uri } = await logOf(policy);
  const [{ tool, results }] = log.runs;
  const region = { startLine: 3, startColumn: 24, endLine: 3, endColumn: 25, charOffset: 71, charLength: 1 };
  expect(policy.charAt(71)).toBe(';');
  expect(results.find(({ ruleId }) => ruleId === 'VP1001')).toEqual({
    ruleId: 'VP1001',
    ruleIndex: tool.driver.rules.findIndex(({ id }) => id === 'VP1001'),
    level: 'error',
    message: {
      text: expect.stringMatching(/^[^\n]+`;`[^\n]*\nhelp: statements need no terminator: remove it$/),
    },
    locations: [{ physicalLocation: { artifactLocation: { uri }, region } }],
    fixes: [
      {
        description: { text: 'remove `;`' },
        artifactChanges: [
          {
            artifactLocation: { uri },
            replacements: [{ deletedRegion: region, insertedContent: { text: '' } }],
          },
        ],
        properties: { safe: true },
      },
    ],
  });
  for (const { id, help } of tool.driver.rules) expect(help.markdown).toMatch(new RegExp(`^# ${id}: `));
});

test('what else is wrong, where, and what a person may choose', async () => {
  const { log } = await logOf(policy.replace(';', ''));
  const conflict = log.runs[0].results.find(({ ruleId }) => ruleId === 'VP3107');
  expect(conflict?.relatedLocations).toMatchObject([
    { id: 1, message: { text: 'policy a wants vfio-pci' }, physicalLocation: { region: { startLine: 3 } } },
  ]);
  expect(conflict?.fixes).toMatchObject([{ properties: { safe: false } }, { properties: { safe: false } }]);
});

test('what is wrong with the command line has no place in a file, and is no success', async () => {
  const missing = valid((await vfioplan(['check', 'none.vfio', '--format', 'sarif'])).out);
  expect(missing).toMatchObject({
    runs: [
      {
        invocations: [
          { commandLine: 'vfioplan check none.vfio --format sarif', exitCode: 1, executionSuccessful: true },
        ],
        results: [
          {
            ruleId: 'VP2901',
            locations: [{ logicalLocations: [{ fullyQualifiedName: 'command line: none.vfio' }] }],
          },
        ],
      },
    ],
  });
  const { code, out } = await vfioplan(['check', 'a.vfio', '--format=sarif', '--todya']);
  expect(code).toBe(64);
  expect(valid(out)).toMatchObject({
    runs: [{ invocations: [{ exitCode: 64, executionSuccessful: false }], results: [{ ruleId: 'VP2910' }] }],
  });
});

test('a command without it refuses it in words', async () => {
  const { code, out, err } = await vfioplan(['plan', 'a.vfio', '--format', 'sarif']);
  expect({ code, out }).toEqual({ code: 64, out: '' });
  expect(err).toContain('Allowed choices are human, json');
});

/** Every page of a code that a policy alone can bring about, as a fleet of one: its bad example as a log. */
const folder = new URL('../../../src/diagnostics/pages/', import.meta.url);
const machines = new URL('../../pages/machines/', import.meta.url);
const examples = Object.keys(codes).flatMap((code) => {
  const [bad] = readPage(readFileSync(new URL(`${code}.md`, folder), 'utf8')).bad;
  return bad?.language === 'vfio' ? [{ code, text: bad.text }] : [];
});

test.each(examples)('$code is a valid result, whose regions are its text', ({ code, text }) =>
  inFolder(async (place) => {
    const { machine: name, today, sources } = readSetting(text);
    for (const source of sources) writeFileSync(join(place, source.file), source.text);
    const words = name && JSON.parse(readFileSync(new URL(`${name}.json`, machines), 'utf8'));
    if (name) writeFileSync(join(place, 'machine.json'), JSON.stringify(machine(words)));
    const given = name ? ['--machine', `${name}=${join(place, 'machine.json')}`] : [];
    const files = sources.map(({ file }) => join(place, file));
    const argv = ['check', ...files, ...given, '--today', today, '--format', 'sarif'];
    const log = valid((await vfioplan(argv)).out) as Log;
    const [{ tool, results }] = log.runs;
    expect(results.map(({ ruleId }) => ruleId)).toContain(code);
    const answers = results.flatMap(({ properties }) => properties?.kernel.errno ?? []);
    if (/^VP41[01]/.test(code)) expect(answers).toContainEqual(expect.stringMatching(/^E[A-Z]+$/));
    for (const { ruleId, ruleIndex, locations } of results) {
      expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
      for (const { physicalLocation } of locations) {
        if (physicalLocation === undefined) continue;
        const { artifactLocation, region } = physicalLocation;
        const whole = readFileSync(new URL(artifactLocation.uri), 'utf8');
        const lines = whole.slice(0, region.charOffset).split(/\r\n|\n|\r/);
        expect([region.startLine, region.startColumn]).toEqual([
          lines.length,
          (lines.at(-1)?.length ?? 0) + 1,
        ]);
      }
    }
  }),
);

test('there are examples of policies', () => {
  expect(readdirSync(folder).length).toBeGreaterThan(100);
  expect(examples.length).toBeGreaterThan(60);
});
