/** Kafka's tools by the names of their scripts, as processes: what they printed and how they ended. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Ran, ran } from '../kit/ran.ts';

const CLASSES = {
  'broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  cluster: 'org.apache.kafka.tools.ClusterTool',
  configs: 'kafka.admin.ConfigCommand',
  'console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'dump-log': 'org.apache.kafka.tools.DumpLogSegments',
  'get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  groups: 'org.apache.kafka.tools.GroupsCommand',
  'log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  topics: 'org.apache.kafka.tools.TopicCommand',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
  'verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
  'verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
} as const;

export type ToolName = keyof typeof CLASSES;

/** A machine that is soon done, and shares its cores with others. */
const SMALL = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

let classPath: string | null = null;

export function kafkaClassPath(): string {
  if (classPath !== null) return classPath;
  const script = fileURLToPath(new URL('../../scripts/kafka-jars.mjs', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  classPath = stdout.trim();
  return classPath;
}

/** A class of Kafka's by its full name, or a source file. */
export function javaClass(name: string, words: readonly string[], input = ''): Promise<Ran> {
  return ran('java', ['-Xmx512m', ...SMALL, '-cp', kafkaClassPath(), name, ...words], input);
}

export interface RunningTool {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
}

/** A tool that goes on until it is killed, and whose words nobody reads. */
export function startTool(name: ToolName, words: readonly string[]): RunningTool {
  const java = ['-Xmx256m', ...SMALL, '-cp', kafkaClassPath(), CLASSES[name], ...words];
  const child = spawn('java', java, { stdio: ['ignore', 'ignore', 'ignore'] });
  return { child, ended: once(child, 'close') };
}

/** A Java source of this folder, compiled as it is run. */
export function javaFile(name: string, words: readonly string[]): Promise<Ran> {
  return javaClass(fileURLToPath(new URL(name, import.meta.url)), words);
}

export function tool(name: ToolName, words: readonly string[], input = ''): Promise<Ran> {
  return javaClass(CLASSES[name], words, input);
}

/** Its standard output; a tool that fails throws with all it said. */
export async function toolOk(name: ToolName, words: readonly string[], input = ''): Promise<string> {
  const { stdout, stderr, code } = await tool(name, words, input);
  if (code !== 0) throw new Error(`${name} ${words.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}
