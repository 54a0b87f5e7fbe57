/** Kafka's tools by the names of their scripts, as processes: what they printed and how they ended. */
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ran } from '../kit/kcat.ts';

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
  const java = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', kafkaClassPath(), name, ...words];
  const child = spawn('java', java, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  // It may end before it has read all: its exit code says so.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ stdout, stderr, code }));
  });
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
