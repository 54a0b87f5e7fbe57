/**
 * What it costs that an acknowledged record is on the disk: the page cache alone, one sync for all that wait, one sync for
 * each append. Single records from many connections, each waiting for its own acknowledgement, over several partitions.
 */
import { byTurns } from './kit/rounds.ts';
import type { Suite, SuiteOptions } from './kit/suite.ts';
import { tableOf } from './kit/table.ts';
import { load, loadTopic } from './limit/load.ts';
import { broker, withServers } from './limit/servers.ts';

const TOPIC = 'group-commit';
const PARTITIONS = 8;
const CONNECTIONS = [1, 10, 100];
const REQUESTS_EACH = 300;
const QUICK_REQUESTS_EACH = 5;
const ROUNDS = 5;

const VARIANTS = [
  broker({}, 'page cache'),
  broker({ 'flush.group.commit': 'true' }, 'group commit'),
  broker({ 'log.flush.interval.messages': 1 }, 'a sync for each'),
];

async function run(options: SuiteOptions) {
  const each = options.quick ? QUICK_REQUESTS_EACH : REQUESTS_EACH;
  return withServers(VARIANTS, options.directory, async (servers) => {
    const target = { topic: TOPIC, mode: 'produce', spread: PARTITIONS };
    for (const { port } of servers) await loadTopic(port, TOPIC, PARTITIONS);
    const tables = [];
    for (const connections of CONNECTIONS) {
      const ways = servers.map(({ name, port, pid }) => ({
        name,
        async round() {
          const requests = each * connections;
          const got = await load({ port, ...target, connections, requests, warmup: connections, watch: pid });
          return {
            requests: got.requestsPerSecond,
            p50: got.p50Us / 1000,
            p99: got.p99Us / 1000,
            cpu: (got.serverCpuSeconds * 1e6) / got.requests,
          };
        },
      }));
      const rounds = await byTurns(ways, options.quick ? 1 : ROUNDS, options);
      tables.push(
        tableOf(
          `${connections} connections, ${PARTITIONS} partitions`,
          [
            { name: 'acknowledged', unit: '1/s' },
            { name: '÷ page cache', unit: '' },
            { name: 'p50', unit: 'ms' },
            { name: 'p99', unit: 'ms' },
            { name: 'CPU of a request', unit: 'µs' },
          ],
          servers.map(({ name }) => ({
            name,
            values: [
              rounds.spread(name, 'requests'),
              rounds.ratio(name, 'page cache', 'requests'),
              ...['p50', 'p99', 'cpu'].map((figure) => rounds.spread(name, figure)),
            ],
          })),
        ),
      );
    }
    return tables;
  });
}

export const suite: Suite = {
  question: 'an acknowledgement that means "on disk": one sync for all that wait against a sync for each append',
  run,
};
