/** The pictures in README: those of this list for which there is a file, in this order. */
import { replaced } from './reasons.ts';

const FROM = '<!-- pictures: made by the report -->';
const TO = '<!-- pictures end -->';
const IN_A_ROW = 2;

const SHOWN: Readonly<Record<string, string>> = {
  'goals-apache-kafka-peers.svg': 'Goals against Apache Kafka',
  'peers-cpu.svg': 'Broker CPU per GB, Odradek and Apache Kafka',
  'peers-latency.svg': 'Latency at 2,000 requests a second',
  'peers-memory.svg': 'Anonymous and shared memory',
  'peers-partitions.svg': 'Broker CPU per request, 1 to 10,000 partitions',
  'peers-connections.svg': 'Broker CPU per request, 1 to 1,000 connections',
  'zero-copy.svg': 'CPU of sending by size: copy, sendfile, stream',
  'seq-vs-random.svg': 'Writing in order and at random, page cache',
  'partitions-throughput.svg': 'Throughput, 1 to 1,024 partitions',
  'partitions-latency.svg': 'Latency, 1 to 1,024 partitions',
  'partitions-memory.svg': 'Own memory, 1 to 1,024 partitions',
  'roll-jitter.svg': 'Latency while all partitions roll',
};

export function withPictures(page: string, files: readonly string[]): string {
  const cells = Object.entries(SHOWN)
    .filter(([name]) => files.includes(name))
    .map(([name, text]) => `![${text}](docs/plots/${name})`);
  const rows = [];
  for (let at = 0; at < cells.length; at += IN_A_ROW)
    rows.push(`| ${cells.slice(at, at + IN_A_ROW).join(' | ')}${at + 1 === cells.length ? ' | ' : ''} |`);
  return replaced(page, FROM, TO, cells.length === 0 ? '' : ['| | |', '| --- | --- |', ...rows].join('\n'));
}
