/**
 * Where Kafka's own tools are: the jars below `KAFKA_HOME`, or those that Maven brings into `.cache/kafka-<version>`. Prints
 * the class path; `test:kafka` calls it first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const POM = path.join(root, 'test/kafka/pom.xml');

function kafkaJars() {
  const home = process.env.KAFKA_HOME;
  if (home) {
    const jars = path.join(home, 'libs');
    if (!existsSync(jars)) throw new Error(`KAFKA_HOME is ${home}, which has no folder libs`);
    return jars;
  }
  const version = /<kafka.version>(.*)<\/kafka.version>/.exec(readFileSync(POM, 'utf8'))[1];
  const jars = path.join(root, '.cache', `kafka-${version}`);
  const complete = path.join(jars, '.complete');
  if (existsSync(complete)) return jars;
  mkdirSync(jars, { recursive: true });
  const words = ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', '-DincludeScope=runtime'];
  // What Maven says is not the class path.
  const { error, status } = spawnSync('mvn', [...words, `-DoutputDirectory=${jars}`], { stdio: ['ignore', 2, 2] });
  if (error)
    throw new Error(`Kafka's jars come by Maven, which is not here (${error.message}): install it, or set KAFKA_HOME`);
  if (status !== 0) throw new Error(`Maven did not bring Kafka's jars (exit code ${status})`);
  if (!readdirSync(jars).some((name) => name.startsWith('kafka-tools')))
    throw new Error(`no tools of Kafka in ${jars}`);
  writeFileSync(complete, '');
  return jars;
}

try {
  process.stdout.write(`${path.join(kafkaJars(), '*')}\n`);
} catch (problem) {
  process.stderr.write(`odradek: ${problem.message}\n`);
  process.exitCode = 1;
}
