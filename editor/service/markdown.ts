/** Text of policies and machines in CommonMark: it shows, and commands nothing. */

export function code(text: string): string {
  return `\`${text.replace(/[`\r\n]/g, ' ')}\``;
}

export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()<>#+\-!|~&]/g, '\\$&').replace(/[\r\n]+/g, ' ');
}
