import { serviceName } from '../machine/configuration.ts';
import type { Principal } from '../syntax/ast.ts';
import type { WhoMay } from './policy.ts';

/** A principal as it is written, for what is asked of it. */
export function whoMay({ kind, name, capabilities }: Principal): WhoMay {
  return {
    kind,
    name: name === undefined ? (kind === 'anyone' ? 'anyone' : '*') : principalName(kind, name.text),
    capabilities: capabilities.map(({ text }) => text),
  };
}

/** A service is one, however its unit is written. */
export function principalName(kind: WhoMay['kind'], written: string): string {
  return kind === 'service' ? serviceName(written) : written;
}
