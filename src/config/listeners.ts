/**
 * Listeners as their settings describe them: `NAME://host:port`, each with a security protocol and the address that
 * clients are told. Names are unique, and so are ports, except 0 (any free one).
 */
import { SettingError } from './setting.ts';

export interface Listener {
  readonly name: string;
  readonly protocol: 'PLAINTEXT';
  /** A literal address or a name; empty for every address of the machine. */
  readonly host: string;
  readonly port: number;
  /** Null: the listener's own. */
  readonly advertised: { readonly host: string; readonly port: number } | null;
}

interface Endpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;
/** Each has an acceptor of its own. */
const LISTENERS_MAX = 32;
const SERVED = 'PLAINTEXT';
const KAFKA_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'];

export interface ListenerSettings {
  readonly listeners: readonly string[];
  readonly advertisedListeners: readonly string[] | null;
  readonly listenerSecurityProtocolMap: string;
}

/** Throws a SettingError that names the setting and the entry. */
export function parseListeners(settings: ListenerSettings): Listener[] {
  const protocols = parseProtocols(settings.listenerSecurityProtocolMap);
  const endpoints = settings.listeners.map((text) => parseEndpoint('listeners', text));
  if (endpoints.length === 0)
    throw new SettingError('listeners is empty: it needs at least one, like PLAINTEXT://127.0.0.1:9092.');
  if (endpoints.length > LISTENERS_MAX)
    throw new SettingError(`listeners has ${endpoints.length} entries, at most ${LISTENERS_MAX} are served.`);
  refuseTwice('listeners', endpoints);
  const advertised = parseAdvertised(settings.advertisedListeners ?? [], endpoints);
  return endpoints.map(({ name, host, port }) => {
    const protocol = protocols.get(name);
    if (protocol === undefined) {
      throw new SettingError(
        `listeners has ${name}, which listener.security.protocol.map does not: add ${name}:PLAINTEXT there.`,
      );
    }
    if (protocol !== SERVED) {
      throw new SettingError(`listeners has ${name} with the security protocol ${protocol}: only PLAINTEXT is served.`);
    }
    return { name, protocol, host, port, advertised: advertised.get(name) ?? null };
  });
}

function parseEndpoint(setting: string, text: string): Endpoint {
  const match = /^([A-Za-z0-9_-]+):\/\/(?:\[([0-9a-fA-F:.%]+)\]|([^:/[\]\s]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[4]);
  if (match === null || port > PORT_MAX) {
    throw new SettingError(`${setting} has ${text}, which is not NAME://host:port, like PLAINTEXT://127.0.0.1:9092.`);
  }
  return { name: (match[1] as string).toUpperCase(), host: match[2] ?? match[3] ?? '', port };
}

function refuseTwice(setting: string, endpoints: readonly Endpoint[]): void {
  endpoints.forEach((endpoint, index) => {
    for (const other of endpoints.slice(0, index)) {
      if (other.name === endpoint.name)
        throw new SettingError(`${setting} has ${endpoint.name} twice: a name counts once.`);
      if (other.port === endpoint.port && endpoint.port !== 0) {
        throw new SettingError(`${setting} has port ${endpoint.port} twice: each listener needs its own.`);
      }
    }
  });
}

function parseAdvertised(
  texts: readonly string[],
  listeners: readonly Endpoint[],
): Map<string, { host: string; port: number }> {
  const addresses = new Map<string, { host: string; port: number }>();
  for (const text of texts) {
    const { name, host, port } = parseEndpoint('advertised.listeners', text);
    if (addresses.has(name)) throw new SettingError(`advertised.listeners has ${name} twice: a name counts once.`);
    if (!listeners.some((listener) => listener.name === name)) {
      throw new SettingError(
        `advertised.listeners has ${name}, which listeners does not: add it there or leave it out.`,
      );
    }
    if (host === '' || host === '0.0.0.0' || host === '::') {
      throw new SettingError(
        `advertised.listeners has ${text}, an address that no client can connect to: name a host.`,
      );
    }
    if (port === 0) {
      throw new SettingError(
        `advertised.listeners has ${text}, a port that no client can connect to: name a real one.`,
      );
    }
    addresses.set(name, { host, port });
  }
  return addresses;
}

function parseProtocols(text: string): Map<string, string> {
  const protocols = new Map<string, string>();
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const [name, protocol, more] = pair.split(':').map((part) => part.trim().toUpperCase());
    if (!name || protocol === undefined || more !== undefined || !KAFKA_PROTOCOLS.includes(protocol)) {
      const allowed = KAFKA_PROTOCOLS.join(', ');
      throw new SettingError(
        `listener.security.protocol.map has ${pair.trim()}, which is not NAME:PROTOCOL with one of ${allowed}.`,
      );
    }
    protocols.set(name, protocol);
  }
  return protocols;
}
