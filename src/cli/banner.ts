/** What a person reads when the broker listens: where it is, what it runs on, and lines to try. */
export interface Running {
  readonly host: string;
  readonly port: number;
  readonly transport: 'native' | 'portable';
  readonly layout: string;
  readonly directory: string;
}

/** One line, the same for people and for programs that look for the port. */
export function listeningLine(broker: Running): string {
  return `odradek listening on ${address(broker)}`;
}

export function banner(broker: Running, version: string): string {
  const at = address(broker);
  return [
    '',
    `  odradek ${version}, speaking Kafka on ${at}`,
    `  data       ${broker.directory}`,
    `  transport  ${broker.transport}`,
    `  threads    ${broker.layout}`,
    '',
    '  To try it:',
    `    echo hello | kcat -b ${at} -t greetings -P`,
    `    kcat -b ${at} -t greetings -C -e`,
    `    kcat -b ${at} -L`,
    '',
    '  Ctrl+C stops it.',
    '',
  ].join('\n');
}

/** An address to connect to: a broker that listens everywhere is reached here, too. */
function address({ host, port }: Running): string {
  if (host === '' || host === '0.0.0.0' || host === '::') return `127.0.0.1:${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
