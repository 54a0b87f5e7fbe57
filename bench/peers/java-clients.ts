/** Kafka's own clients, as its perf tools drive them. The tools' megabytes have 1024 × 1024 bytes, ours 1,000,000. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { kafkaClassPath } from '../../test/kafka/tool.ts';

const TOOL_MAX_MS = 300_000;
const MEGABYTE = 1.048576;

const run = promisify(execFile);

async function tool(name: string, words: readonly string[]): Promise<string> {
  const all = ['-Xmx512m', '-cp', kafkaClassPath(), `org.apache.kafka.tools.${name}`, ...words];
  const { stdout } = await run('java', all, { timeout: TOOL_MAX_MS, maxBuffer: 16 << 20 });
  return stdout;
}

/** MB/s of a producer with acks=all and one-kibibyte records, as it says itself. */
export async function javaProducer(port: number, topic: string, records: number): Promise<number> {
  const stdout = await tool('ProducerPerformance', [
    ...['--topic', topic, '--num-records', String(records), '--record-size', '1024', '--throughput', '-1'],
    ...['--producer-props', `bootstrap.servers=127.0.0.1:${port}`, 'acks=all'],
  ]);
  const last = [...stdout.matchAll(/records sent, [\d.]+ records\/sec \(([\d.]+) MB\/sec\)/g)].at(-1);
  if (last === undefined) throw new Error(`the producer's tool said: ${stdout.slice(-500)}`);
  return Number(last[1]) * MEGABYTE;
}

/** MB/s of a consumer in a group of its own while it fetches: the time in which it joins is not in it. */
export async function javaConsumer(port: number, topic: string, records: number): Promise<number> {
  const stdout = await tool('ConsumerPerformance', [
    ...['--bootstrap-server', `127.0.0.1:${port}`, '--topic', topic, '--num-records', String(records)],
    ...['--timeout', '60000'],
  ]);
  const [head, figures] = stdout
    .trim()
    .split('\n')
    .slice(-2)
    .map((line) => line.split(',').map((word) => word.trim()));
  const figure = (name: string): number => Number(figures?.[head?.indexOf(name) ?? -1]);
  const got = figure('data.consumed.in.nMsg');
  if (!(got >= records)) throw new Error(`the consumer's tool got ${got} of ${records} records: ${stdout.slice(-500)}`);
  return figure('fetch.MB.sec') * MEGABYTE;
}
