/** A page of `src/diagnostics/pages`: its title, and its examples, which are tests. */
export interface Page {
  readonly code: string;
  readonly title: string;
  readonly bad: readonly Example[];
  readonly fixed: readonly Example[];
  readonly sections: readonly string[];
}

/** `vfio`, `snapshot`, `plan` or `deed`, and the text of the block. */
export interface Example {
  readonly language: string;
  readonly text: string;
}

export function readPage(markdown: string): Page {
  const heading = /^# (VP\d{4}): (.+)$/m.exec(markdown);
  const sections = new Map<string, Example[]>();
  let section = '';
  for (const part of markdown.split(/^(?=## )/m)) {
    section = /^## (.+)$/m.exec(part)?.[1] ?? '';
    const blocks = [...part.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
    sections.set(
      section,
      blocks.map(([, language = '', text = '']) => ({ language, text })),
    );
  }
  return {
    code: heading?.[1] ?? '',
    title: heading?.[2] ?? '',
    bad: sections.get('Bad') ?? [],
    fixed: sections.get('Fixed') ?? [],
    sections: [...sections.keys()],
  };
}

/** What a policy example says about how it is to be checked, in comments: `# machine: NAME`, `# today: 2027-01-01`. */
interface Setting {
  readonly machine?: string;
  readonly today: string;
  readonly sources: readonly { readonly file: string; readonly text: string }[];
}

/** `# file: NAME` begins another file; what stands before the first one is `policy.vfio`. */
export function readSetting(text: string): Setting {
  const machine = /^# machine: (\S+)$/m.exec(text)?.[1];
  const today = /^# today: (\S+)$/m.exec(text)?.[1] ?? '2026-11-22';
  const [first = '', ...others] = text.split(/^# file: /m);
  const rest = others.map((part) => {
    const end = part.indexOf('\n');
    return { file: part.slice(0, end).trim(), text: part.slice(end + 1) };
  });
  return { today, sources: [{ file: 'policy.vfio', text: first }, ...rest], ...(machine ? { machine } : {}) };
}
