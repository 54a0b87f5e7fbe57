/** Apache Kafka as a server under measurement: one node in KRaft mode with the options of its own start script. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaClassPath } from '../../test/kafka/tool.ts';
import { freePort, type Variant } from '../limit/servers.ts';

const PROPERTIES = 'server.properties';
const JVM = [
  '-Xmx1G',
  '-Xms1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
];
const LOGGING = `Configuration:
  Appenders: { Console: { name: OUT, target: SYSTEM_ERR, PatternLayout: { pattern: "%p %m%n" } } }
  Loggers: { Root: { level: WARN, AppenderRef: [ { ref: OUT } ] } }
`;

function properties(directory: string, port: number, controllerPort: number): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${join(directory, 'data')}`,
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    '',
  ].join('\n');
}

function java(words: readonly string[], directory: string): string[] {
  return [`-Dlog4j2.configurationFile=${join(directory, 'log4j2.yaml')}`, '-cp', kafkaClassPath(), ...words];
}

/** Formats its storage, once. */
function format(directory: string): void {
  if (existsSync(join(directory, 'data', 'meta.properties'))) return;
  const tool = (...words: string[]): string => {
    const { status, stdout, stderr } = spawnSync('java', java(['kafka.tools.StorageTool', ...words], directory), {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`Kafka's storage tool ended with ${status}: ${stdout}${stderr}`);
    return stdout.trim();
  };
  tool('format', '-t', tool('random-uuid'), '-c', join(directory, PROPERTIES));
}

export function kafka(name: string): Variant {
  return {
    name,
    // The property tells whoever looks at the processes, and the measurer, which port is meant.
    command: ['java', ...JVM, '-Dodradek.bench.port={port}', ...java(['kafka.Kafka', `{dir}/${PROPERTIES}`], '{dir}')],
    async prepare(directory, port) {
      writeFileSync(join(directory, PROPERTIES), properties(directory, port, await freePort()));
      writeFileSync(join(directory, 'log4j2.yaml'), LOGGING);
      format(directory);
    },
  };
}
