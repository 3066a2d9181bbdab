import {
  type CommandDescription,
  documentFormat,
  format,
  host,
  judging,
  policies,
  profile,
  stateDirectory,
} from './descriptions.ts';

/**
 * Every command, as data: the parser, `--help` and the manual are made of this table. A command's code is loaded
 * when it is called, so that no command pays for another.
 */
export const commands: readonly CommandDescription[] = [
  {
    name: 'check',
    purpose: 'judge policies against the machines they speak of',
    text: 'Says everything that VFIO, sysfs or the driver core would refuse, and everything that would be unsafe, with the place in the policy, the cause and the cure. Changes nothing; with --fix, the policies alone. A fix is safe if nothing else can have been meant, and the policy permits nothing more for it; the others are shown with their diagnostics, for a person to choose.',
    operands: [policies],
    options: [
      ...judging,
      host,
      {
        key: 'fix',
        flags: '--fix',
        text: 'make the fixes that are safe, judge again, and say what was changed; each file is replaced in one step',
      },
      {
        key: 'diff',
        flags: '--diff',
        text: 'with --fix: write nothing; show what would be changed, as patch(1) reads it, and exit with 2 if that makes the policies sound',
      },
      {
        ...format,
        flags: '--format <human|json|sarif>',
        text: 'how the result is written on stdout; `sarif` is SARIF 2.1.0, for code scanning',
      },
    ],
    examples: [
      { words: 'vfioplan check dpdk.vfio', text: 'against the snapshots that the policy names' },
      {
        words: 'vfioplan check fleet.vfio --machine db-1=db-1.json --machine db-2=db-2.json',
        text: 'one policy, many machines',
      },
      { words: 'vfioplan check --fix dpdk.vfio', text: 'mended where only one thing can be meant' },
      { words: 'vfioplan check --format sarif dpdk.vfio > dpdk.sarif', text: 'for code scanning' },
    ],
    exits: ['done', 'refused', 'pending', 'usage'],
    load: async () => (await import('./commands/check.ts')).check,
  },
  {
    name: 'plan',
    purpose: 'show, step by step, how a machine gets to what a policy says',
    text: 'Checks first. Every step has what it does, what it should show, how it is undone, and the statement that wants it. What earlier plans established on this machine and no policy names any more is put back as it was found: a snapshot of the machine itself tells it, from the journals. Changes nothing.',
    operands: [policies],
    options: [
      ...judging,
      host,
      { key: 'out', flags: '--out <file>', text: 'save the plan as JSON, for `vfioplan apply`' },
      {
        key: 'detailedExitcode',
        flags: '--detailed-exitcode',
        text: 'exit with 2 when the plan has steps, with 0 when nothing is to be done',
      },
      format,
    ],
    examples: [
      { words: 'vfioplan plan dpdk.vfio', text: 'the plan for a person' },
      { words: 'vfioplan plan dpdk.vfio --machine edge-01.json --out plan.json', text: 'and saved' },
    ],
    exits: ['done', 'refused', 'pending', 'usage'],
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  {
    name: 'apply',
    purpose: 'carry a plan out: on a simulated copy of the machine or, with --native, on this one',
    text: 'Without --native nothing real is touched: a simulated kernel is booted from the snapshot, the plan is carried out there, and every result is compared with its prediction. With --native the same is done first, for a fresh snapshot of this machine; then the plan is carried out here, and taken back at the first result that differs. A saved plan is carried out here only beside its policy files: they are compiled anew, and must give the very same steps. What earlier plans established here and no policy that is given names any more is put back as it was found, in steps of the plan. What a policy limits or persists is written to configuration files of vfioplan alone; `revert` takes them away, too.',
    operands: [
      {
        name: '<policy-or-plan...>',
        text: 'policy files, or one plan saved by `vfioplan plan --out` (.json)',
      },
    ],
    options: [
      ...judging.filter(({ key }) => key !== 'live'),
      host,
      { key: 'native', flags: '--native', text: 'act on this machine (needs root)' },
      {
        key: 'confirmWithin',
        flags: '--confirm-within <time>',
        text: 'take everything back unless somebody confirms it in time (`120s`, `5min`, `1h`); goes before what the policy says',
      },
      format,
    ],
    examples: [
      { words: 'vfioplan apply dpdk.vfio', text: 'rehearse on a simulated kernel' },
      { words: 'sudo vfioplan apply dpdk.vfio --native', text: 'rehearse, then act' },
      {
        words: 'sudo vfioplan apply dpdk.vfio --native --confirm-within 120s',
        text: 'and take it back unless you can still say yes',
      },
    ],
    exits: ['done', 'refused', 'rolled-back', 'rollback-incomplete', 'usage'],
    load: async () => (await import('./commands/apply.ts')).apply,
  },
  {
    name: 'revert',
    purpose: 'put this machine back as it was before an apply --native',
    text: 'Undoes the steps that the journal of a generation records, in reverse order, and compares every file with what was found before. Acts on this machine: a rehearsal leaves nothing to revert.',
    operands: [
      { name: '[generation]', text: 'the number that `apply --native` printed; default: the newest' },
    ],
    options: [stateDirectory, format],
    examples: [
      { words: 'sudo vfioplan revert', text: 'undo the newest apply' },
      {
        words: 'sudo vfioplan revert 3 --state-dir /srv/vfioplan',
        text: 'undo generation 3 of another state folder',
      },
    ],
    exits: ['done', 'refused', 'rollback-incomplete', 'usage'],
    load: async () => (await import('./commands/revert.ts')).revert,
  },
  {
    name: 'confirm',
    purpose: 'let stay what an apply --native did and somebody has to confirm',
    text: 'Where the policy says `confirm within …`, or `--confirm-within` was given, an apply waits so long and then takes back what it did: whoever has lost the way to the machine gets it back. To run this command shows that there is a way. What was done must still be there. Acts on the journal alone.',
    operands: [],
    options: [stateDirectory, format],
    examples: [
      { words: 'sudo vfioplan confirm', text: 'in a session that was opened after the apply' },
      { words: 'sudo vfioplan confirm --state-dir /srv/vfioplan', text: 'with another state folder' },
    ],
    exits: ['done', 'refused', 'usage'],
    load: async () => (await import('./commands/revert.ts')).confirm,
  },
  {
    name: 'recover',
    purpose: 'after a crash: finish or undo what an apply or a revert left half done',
    text: 'Reads the newest journal. A plan of which every step was done as predicted is finished by saying so, unless somebody had to confirm it and nobody did; anything else is taken back. Acts on this machine.',
    operands: [],
    options: [stateDirectory, format],
    examples: [
      { words: 'sudo vfioplan recover', text: 'after the machine or the program was stopped in the middle' },
      { words: 'sudo vfioplan recover --state-dir /srv/vfioplan', text: 'with another state folder' },
    ],
    exits: ['done', 'refused', 'rollback-incomplete', 'usage'],
    load: async () => (await import('./commands/revert.ts')).recover,
  },
  {
    name: 'test',
    purpose: 'run the tests that policies have, on simulated copies of their machines',
    text: 'Each test is a sequence on a machine of its own: policies are applied, principals act, faults are planted, and what is said to hold must hold. One that fails is shown step by step, with the guard that answered. The JSON is as docs/schema/test-result.json says. Changes nothing.',
    operands: [policies],
    options: [
      ...judging.filter(({ key }) => key === 'machine' || key === 'today'),
      host,
      {
        key: 'filter',
        flags: '--filter <text>',
        text: 'only tests that have the text in their names. May be repeated',
        repeats: true,
      },
      {
        key: 'coverage',
        flags: '--coverage',
        text: 'name every statement of the policies that no test has exercised, and every law that refused nothing',
      },
      { key: 'junit', flags: '--junit <file>', text: "write the results there too, as JUnit's XML" },
      {
        key: 'jobs',
        flags: '--jobs <n>',
        text: 'run so many tests at once, but no more than four for each processor; what is written is the same for any number',
        shows:
          'as many as there are processors, and 1 where so few tests are sooner done one after the other',
      },
      format,
    ],
    examples: [
      { words: 'vfioplan test dpdk.vfio', text: 'all tests of a file and its imports' },
      {
        words: 'vfioplan test dpdk.vfio --filter stranger --coverage --junit results.xml',
        text: 'for a build server',
      },
    ],
    exits: ['done', 'refused', 'usage'],
    load: async () => (await import('./commands/test.ts')).test,
  },
  {
    name: 'fmt',
    purpose: 'lay policies out: line breaks, columns and comments, nothing but white space',
    text: 'Every comment stays with what it stands beside. A declaration that cannot be read is left as it is, byte for byte, with a warning. The result is compared with what was there before it is written; a file is replaced in one step and keeps its mode. What comes from standard input goes to stdout.',
    operands: [
      { name: '[file...]', text: 'policy files; `-`, or none when something is piped in, is standard input' },
    ],
    options: [
      {
        key: 'check',
        flags: '--check',
        text: 'write nothing; exit with 2 when a file is not formatted, and name it',
      },
      {
        key: 'diff',
        flags: '--diff',
        text: 'write nothing; show what would be changed, as patch(1) reads it',
      },
      format,
    ],
    examples: [
      { words: 'vfioplan fmt dpdk.vfio', text: 'in its place' },
      { words: 'vfioplan fmt --check --diff dpdk.vfio base.vfio', text: 'for a pipeline' },
    ],
    exits: ['done', 'refused', 'pending', 'usage'],
    load: async () => (await import('./commands/fmt.ts')).fmt,
  },
  {
    name: 'snapshot',
    purpose: 'write down this machine: functions, groups, drivers, disks, networks, users',
    text: 'Reads sysfs, /proc and /dev; changes nothing. Root sees more; what could not be read is written as unknown, with the reason. What earlier plans established here is told from their journals.',
    operands: [],
    options: [
      {
        key: 'sysroot',
        flags: '--sysroot <folder>',
        text: 'read a captured tree (sys, proc, dev, etc) instead of /',
      },
      stateDirectory,
      { key: 'out', flags: '--out <file>', text: 'write the snapshot there instead of on stdout' },
      documentFormat,
    ],
    examples: [
      { words: 'sudo vfioplan snapshot --out edge-01.json', text: 'this machine' },
      { words: 'vfioplan snapshot --sysroot captured/', text: 'a tree captured elsewhere' },
    ],
    exits: ['done', 'refused', 'usage'],
    load: async () => (await import('./commands/snapshot.ts')).snapshot,
  },
  {
    name: 'snapshot import',
    purpose: "make a snapshot of another tool's report",
    text: 'Formats: nixos-facter. What the report does not tell (mounts, routes, users …) is unknown in the snapshot, and unknown is never taken for safe.',
    operands: [
      { name: '<report-format>', text: 'nixos-facter' },
      { name: '<file>', text: 'the report' },
    ],
    options: [
      { key: 'out', flags: '--out <file>', text: 'write the snapshot there instead of on stdout' },
      documentFormat,
    ],
    examples: [
      {
        words: 'vfioplan snapshot import nixos-facter facter.json --out host.json',
        text: 'a report saved as a snapshot',
      },
      { words: 'vfioplan snapshot import nixos-facter facter.json --format human', text: 'only look at it' },
    ],
    exits: ['done', 'refused', 'usage'],
    load: async () => (await import('./commands/snapshot.ts')).importReport,
  },
  {
    name: 'snapshot show',
    purpose: 'show a snapshot to a person: what each function is, holds, and shares its group with',
    operands: [{ name: '<file>', text: 'a snapshot; `-` is standard input' }],
    options: [format],
    examples: [
      { words: 'vfioplan snapshot show edge-01.json', text: 'functions by IOMMU group' },
      {
        words: 'vfioplan snapshot show edge-01.json --format json',
        text: 'the same document, checked and sorted',
      },
    ],
    exits: ['done', 'refused', 'usage'],
    load: async () => (await import('./commands/snapshot.ts')).show,
  },
  {
    name: 'replay',
    purpose:
      'make the operations of a recorded trace on the simulated kernel, and show the first answer that differs',
    text: 'Traces are described in docs/traces.md. The first operation that is answered otherwise is shown as expected, got and why: the guard that answered, its errno and where the kernel makes the test. An strace log is taken for a trace as far as it tells arguments: what it does not tell is said, not guessed. Nothing real is touched.',
    operands: [{ name: '<trace>', text: 'a trace (.jsonl) or an strace log; `-` is standard input' }],
    options: [
      {
        key: 'input',
        flags: '--input <trace|strace>',
        text: 'what the file is',
        shows: 'what it looks like',
      },
      {
        key: 'machine',
        flags: '--machine <file>',
        text: "the snapshot of the machine, in place of the trace's own",
        repeats: true,
      },
      profile,
      format,
    ],
    examples: [
      { words: 'vfioplan replay boot.jsonl', text: 'on the machine and the kernel that it names' },
      {
        words: 'vfioplan replay boot.jsonl --profile 6.1',
        text: 'would another kernel have answered the same?',
      },
      {
        words: 'vfioplan replay dpdk.strace --machine edge-01.json',
        text: 'what `strace -f -y -o dpdk.strace -e trace=desc,process PROGRAM` wrote',
      },
    ],
    exits: ['done', 'refused', 'usage'],
    load: async () => (await import('./commands/replay.ts')).replay,
  },
  {
    name: 'record',
    purpose: 'make the operations of a script, and write down what the kernel answered: a trace',
    text: 'A script is a trace whose answers are not told, or are told anew: docs/traces.md. Without --native the kernel is the simulated one, on the machine that the script names. With --native this process makes the operations on this machine, opens nothing but the files of VFIO, closes at the end what it opened, and refuses beforehand what changes the machine for others, unless --allow-changes is given: then it takes back at the end what can be taken back, and says what cannot.',
    operands: [{ name: '<script>', text: 'a script (.jsonl); `-` is standard input' }],
    options: [
      { key: 'out', flags: '--out <file>', text: 'write the trace there instead of on stdout' },
      {
        key: 'machine',
        flags: '--machine <file>',
        text: "the snapshot of the machine, in place of the script's own",
        repeats: true,
      },
      profile,
      { key: 'native', flags: '--native', text: 'on this machine (needs root, and --out)' },
      {
        key: 'allowChanges',
        flags: '--allow-changes',
        text: 'with --native, also write to sysfs, load modules and give nodes away',
      },
      { ...format, text: 'how a refusal is written' },
    ],
    examples: [
      { words: 'vfioplan record session.jsonl --out trace.jsonl', text: 'on the simulated kernel' },
      { words: 'vfioplan record trace.jsonl --profile 6.1', text: 'the answers of another kernel' },
      {
        words: 'sudo vfioplan record session.jsonl --native --out real.jsonl',
        text: "this kernel's answers",
      },
    ],
    exits: ['done', 'refused', 'rollback-incomplete', 'usage'],
    load: async () => (await import('./commands/record.ts')).record,
  },
  {
    name: 'explain',
    purpose: 'say what a diagnostic code means, with an example of the mistake and its cure',
    operands: [{ name: '[code]', text: 'such as VP2901; without one, all codes are listed' }],
    options: [format],
    examples: [
      { words: 'vfioplan explain VP2906', text: 'one code' },
      { words: 'vfioplan explain', text: 'the list' },
    ],
    exits: ['done', 'usage'],
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  {
    name: 'lsp',
    purpose: 'serve policies to an editor: the Language Server Protocol on standard input and output',
    text: 'Diagnostics while you type, completion, hover, definition, references, rename, symbols, folding, hints, quick fixes and formatting, for every editor that speaks the protocol: docs/editors.md. It reads the policies that are open, what they import, and the snapshots that their hosts name; it writes nothing, and ends with its client.',
    operands: [],
    options: [
      ...judging.filter(({ key }) => key === 'machine' || key === 'today'),
      { key: 'stdio', flags: '--stdio', text: 'taken from editors that say so: there is no other way' },
      {
        key: 'clientProcessId',
        flags: '--clientProcessId <pid>',
        text: 'the editor, as it tells it: the server ends when that process is gone',
      },
    ],
    examples: [
      { words: 'vfioplan lsp', text: 'as an editor starts it' },
      { words: 'vfioplan lsp --machine edge-01.json', text: 'with a machine that no policy names' },
    ],
    exits: ['done', 'usage'],
    load: async () => (await import('./commands/lsp.ts')).lsp,
  },
  {
    name: 'editor',
    purpose: 'serve the policy editor to a browser on this machine',
    text: 'A page that checks as you type and shows the plan beside the text. It listens on 127.0.0.1 alone, reads no file but its own, and runs until it is interrupted.',
    operands: [],
    options: [
      {
        key: 'port',
        flags: '--port <number>',
        text: 'the TCP port; 0 takes any that is free',
        shows: '8647',
      },
      format,
    ],
    examples: [
      { words: 'vfioplan editor', text: 'then open the address that it prints' },
      { words: 'vfioplan editor --port 0', text: 'on any free port' },
    ],
    exits: ['done', 'refused', 'usage'],
    load: async () => (await import('./commands/editor.ts')).editor,
  },
];
