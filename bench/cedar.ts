/** The latency of Cedar's validator, which its language server asks after a change: policies and schema, the whole file. */
import { validate } from '@cedar-policy/cedar-wasm/nodejs';

const schema = `
entity Team;
entity User in [Team] { uid: Long };
entity Device { at: String, numa: Long, isolated: Bool };
action use, bind appliesTo {
  principal: [User],
  resource: [Device],
  context: { via: String, production: Bool }
};
`;

/** Policies of `lines` lines about a fleet's devices, no two alike: what `fleetPolicy` says of them, as far as Cedar can. */
function policiesOf(lines: number): string {
  const parts: string[] = [];
  for (let host = 0; parts.length * 19 < lines; host++) {
    parts.push(`// edge-${host}
permit (
  principal == User::"dpdk",
  action == Action::"use",
  resource == Device::"uplink-${host}"
)
when { context.via == "group" && resource.at == "0000:${(host % 256).toString(16).padStart(2, '0')}:00.0" };
permit (
  principal in Team::"vpp",
  action in [Action::"use", Action::"bind"],
  resource == Device::"uplink-${host}"
)
unless { context.production };
forbid (principal, action, resource == Device::"uplink-${host}")
when {
  !resource.isolated ||
  resource.numa > ${host}
};
`);
  }
  return parts.join('\n').split('\n').slice(0, lines).join('\n');
}

const typed =
  'permit (principal == User::"a", action == Action::"use", resource) when { resource.isolated };\n';

/** Milliseconds from each key, typed between two policies, to what Cedar says of the file of `lines` lines. */
export function cedarWaves(lines: number, count: number, now: () => number): number[] {
  const text = policiesOf(lines);
  const problems = (policies: string) => validate({ schema, policies: { staticPolicies: policies } });
  const whole = problems(text.slice(0, text.lastIndexOf('// edge-')));
  if (whole.type === 'failure' || whole.validationErrors.length > 0)
    throw new Error(`Cedar does not take the policies: ${JSON.stringify(whole).slice(0, 400)}`);
  const times: number[] = [];
  for (let key = 0; key < count; key++) {
    const burst = Math.floor(key / typed.length);
    const at = text.indexOf('// edge-', (burst * 9973) % text.length);
    const next = text.slice(0, at) + typed.slice(0, (key % typed.length) + 1) + text.slice(at);
    const from = now();
    problems(next);
    times.push(now() - from);
  }
  return times;
}
