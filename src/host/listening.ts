/** Opens the broker's listeners, one after the other; what stands in the way is said in a sentence for its owner. */
import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { StartError } from '../base/start-error.ts';
import type { Endpoint } from '../cluster/image.ts';
import type { Listener } from '../config/listeners.ts';
import type { Crew } from './crew.ts';
import { acceptorOf } from './placement.ts';

export interface OpenListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface Listening {
  readonly open: readonly OpenListener[];
  /** What clients are told. */
  readonly endpoints: readonly Endpoint[];
}

const WILDCARDS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

export async function listen(crew: Crew, wanted: readonly Listener[]): Promise<Listening> {
  const open: OpenListener[] = [];
  const endpoints: Endpoint[] = [];
  for (const [index, listener] of wanted.entries()) {
    const port = await listenOn(crew, index, listener);
    const shown = WILDCARDS.has(listener.host) ? hostname() : listener.host;
    open.push({ name: listener.name, host: listener.host === '' ? '0.0.0.0' : listener.host, port });
    const { host, port: advertisedPort } = listener.advertised ?? { host: shown, port };
    endpoints.push({ listener: listener.name, protocol: listener.protocol, host, port: advertisedPort });
  }
  return { open, endpoints };
}

async function listenOn(crew: Crew, index: number, { name, host, port }: Listener): Promise<number> {
  const address =
    host === ''
      ? '0.0.0.0'
      : await lookup(host).then(
          (found) => found.address,
          () => host,
        );
  try {
    const message = { kind: 'listen', listener: index, host: address, port } as const;
    return (await crew.ask(acceptorOf(index), message)) as number;
  } catch (problem) {
    const why = (problem as Error).message;
    if (why === 'EADDRINUSE') {
      throw new StartError(
        `Port ${port} on ${address} is taken: stop what listens there, or choose another port for ${name}.`,
      );
    }
    if (why === 'EACCES')
      throw new StartError(`Port ${port} may not be used by this user (EACCES): choose one above 1023 for ${name}.`);
    throw new StartError(`The listener ${name} cannot listen on ${host}:${port} (${why}): correct its address.`);
  }
}
