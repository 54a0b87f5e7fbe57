/**
 * Names that Kafka knows (4.3, and some of the releases before it) and this broker does nothing with. They are told apart
 * from misspelt ones: a file written for Kafka works, and its owner reads which lines have no effect.
 */
import type { SettingType } from './setting.ts';

const WITHOUT_EFFECT: Record<string, string> = {
  add: 'partitions.to.txn.retry.backoff.max.ms partitions.to.txn.retry.backoff.ms',
  alter: `
    config.policy.class.name log.dirs.replication.quota.window.num
    log.dirs.replication.quota.window.size.seconds`,
  authorizer: 'class.name',
  auto: 'include.jmx.reporter leader.rebalance.enable',
  background: 'threads',
  broker: 'heartbeat.interval.ms id.generation.enable session.timeout.ms',
  client: 'quota.callback.class',
  compression: 'lz4.level',
  config: 'providers',
  connection: 'failed.authentication.delay.ms',
  connections: 'max.reauth.ms',
  control: 'plane.listener.name',
  controlled: 'shutdown.enable',
  controller: `
    listener.names performance.always.log.threshold.ms performance.sample.period.ms
    quorum.append.linger.ms quorum.auto.join.enable quorum.bootstrap.servers
    quorum.election.backoff.max.ms quorum.election.timeout.ms quorum.fetch.max.bytes
    quorum.fetch.snapshot.max.bytes quorum.fetch.timeout.ms quorum.request.timeout.ms
    quorum.retry.backoff.ms quorum.voters quota.window.num quota.window.size.seconds
    socket.timeout.ms`,
  cordoned: 'log.dirs',
  create: 'topic.policy.class.name',
  delegation: `
    token.expiry.check.interval.ms token.expiry.time.ms token.max.lifetime.ms token.secret.key`,
  delete: 'records.purgatory.purge.interval.requests',
  early: 'start.listeners',
  fetch: 'purgatory.purge.interval.requests',
  follower: 'fetch.last.tiered.offset.enable replication.throttled.rate',
  group: `
    consumer.assignment.interval.ms consumer.max.assignment.interval.ms
    consumer.min.assignment.interval.ms consumer.regex.refresh.interval.ms
    coordinator.append.linger.ms coordinator.background.threads coordinator.cached.buffer.max.bytes
    coordinator.rebalance.protocols coordinator.threads share.assignment.interval.ms share.assignors
    share.delivery.count.limit share.heartbeat.interval.ms share.initialize.retry.interval.ms
    share.max.assignment.interval.ms share.max.delivery.count.limit share.max.heartbeat.interval.ms
    share.max.partition.max.record.locks share.max.record.lock.duration.ms
    share.max.session.timeout.ms share.max.share.sessions share.max.size
    share.min.assignment.interval.ms share.min.delivery.count.limit share.min.heartbeat.interval.ms
    share.min.partition.max.record.locks share.min.record.lock.duration.ms
    share.min.session.timeout.ms share.partition.max.record.locks share.persister.class.name
    share.record.lock.duration.ms share.session.timeout.ms streams.assignment.interval.ms
    streams.heartbeat.interval.ms streams.initial.rebalance.delay.ms
    streams.max.assignment.interval.ms streams.max.heartbeat.interval.ms
    streams.max.session.timeout.ms streams.max.size streams.max.standby.replicas
    streams.min.assignment.interval.ms streams.min.heartbeat.interval.ms
    streams.min.session.timeout.ms streams.num.standby.replicas streams.session.timeout.ms`,
  initial: 'broker.registration.timeout.ms',
  inter: 'broker.listener.name broker.protocol.version',
  kafka: 'metrics.polling.interval.secs metrics.reporters',
  leader: 'imbalance.check.interval.seconds imbalance.per.broker.percentage replication.throttled.rate',
  log: `
    cleaner.backoff.ms cleaner.dedupe.buffer.size cleaner.delete.retention.ms cleaner.enable
    cleaner.io.buffer.load.factor cleaner.io.buffer.size cleaner.io.max.bytes.per.second
    cleaner.max.compaction.lag.ms cleaner.min.cleanable.ratio cleaner.min.compaction.lag.ms
    cleaner.threads dir.failure.timeout.ms flush.scheduler.interval.ms
    flush.start.offset.checkpoint.interval.ms initial.task.delay.ms local.retention.bytes
    local.retention.ms message.downconversion.enable message.format.version
    message.timestamp.difference.max.ms preallocate`,
  max: `
    connection.creation.rate connections.per.ip connections.per.ip.overrides`,
  metadata: `
    log.dir log.max.record.bytes.between.snapshots log.max.snapshot.interval.ms log.segment.bytes
    log.segment.ms max.idle.interval.ms max.retention.bytes max.retention.ms`,
  metric: 'reporters',
  metrics: 'num.samples recording.level sample.window.ms',
  num: 'recovery.threads.per.data.dir replica.alter.log.dirs.threads replica.fetchers',
  offsets: `
    commit.timeout.ms load.buffer.size topic.compression.codec`,
  principal: 'builder.class',
  process: 'roles',
  producer: 'id.expiration.check.interval.ms purgatory.purge.interval.requests',
  quota: 'window.num window.size.seconds',
  remote: `
    fetch.max.wait.ms list.offsets.request.timeout.ms log.index.file.cache.total.size.bytes
    log.index.file.cache.ttl.ms log.manager.copier.thread.pool.size
    log.manager.copy.max.bytes.per.second log.manager.copy.quota.window.num
    log.manager.copy.quota.window.size.seconds log.manager.expiration.thread.pool.size
    log.manager.fetch.max.bytes.per.second log.manager.fetch.quota.window.num
    log.manager.fetch.quota.window.size.seconds log.manager.follower.thread.pool.size
    log.manager.task.interval.ms log.manager.task.retry.backoff.max.ms
    log.manager.task.retry.backoff.ms log.manager.task.retry.jitter log.manager.thread.pool.size
    log.metadata.custom.metadata.max.bytes log.metadata.manager.class.name
    log.metadata.manager.class.path log.metadata.manager.impl.prefix
    log.metadata.manager.listener.name log.reader.max.pending.tasks log.reader.threads
    log.storage.manager.class.name log.storage.manager.class.path log.storage.manager.impl.prefix
    log.storage.system.enable`,
  replica: `
    alter.log.dirs.io.max.bytes.per.second fetch.backoff.ms fetch.max.bytes fetch.min.bytes
    fetch.response.max.bytes fetch.wait.max.ms high.watermark.checkpoint.interval.ms lag.time.max.ms
    selector.class socket.receive.buffer.bytes socket.timeout.ms`,
  replication: 'quota.window.num quota.window.size.seconds',
  request: 'timeout.ms',
  reserved: 'broker.max.id',
  sasl: `
    client.callback.handler.class enabled.mechanisms jaas.config kerberos.kinit.cmd
    kerberos.min.time.before.relogin kerberos.principal.to.local.rules kerberos.service.name
    kerberos.ticket.renew.jitter kerberos.ticket.renew.window.factor login.callback.handler.class
    login.class login.connect.timeout.ms login.read.timeout.ms login.refresh.buffer.seconds
    login.refresh.min.period.seconds login.refresh.window.factor login.refresh.window.jitter
    login.retry.backoff.max.ms login.retry.backoff.ms mechanism.controller.protocol
    mechanism.inter.broker.protocol oauthbearer.assertion.algorithm oauthbearer.assertion.claim.aud
    oauthbearer.assertion.claim.exp.seconds oauthbearer.assertion.claim.iss
    oauthbearer.assertion.claim.jti.include oauthbearer.assertion.claim.nbf.seconds
    oauthbearer.assertion.claim.sub oauthbearer.assertion.file
    oauthbearer.assertion.private.key.file oauthbearer.assertion.private.key.passphrase
    oauthbearer.assertion.template.file oauthbearer.client.credentials.client.id
    oauthbearer.client.credentials.client.secret oauthbearer.clock.skew.seconds
    oauthbearer.expected.audience oauthbearer.expected.issuer oauthbearer.jwks.endpoint.refresh.ms
    oauthbearer.jwks.endpoint.retry.backoff.max.ms oauthbearer.jwks.endpoint.retry.backoff.ms
    oauthbearer.jwks.endpoint.url oauthbearer.jwt.retriever.class oauthbearer.jwt.validator.class
    oauthbearer.scope oauthbearer.scope.claim.name oauthbearer.sub.claim.name
    oauthbearer.token.endpoint.url server.callback.handler.class server.max.receive.size`,
  security: 'inter.broker.protocol providers',
  server: 'max.startup.time.ms',
  share: `
    coordinator.append.linger.ms coordinator.cached.buffer.max.bytes
    coordinator.cold.partition.snapshot.interval.ms coordinator.load.buffer.size
    coordinator.snapshot.update.records.per.snapshot coordinator.state.topic.compression.codec
    coordinator.state.topic.min.isr coordinator.state.topic.num.partitions
    coordinator.state.topic.prune.interval.ms coordinator.state.topic.replication.factor
    coordinator.state.topic.segment.bytes coordinator.threads coordinator.write.timeout.ms
    fetch.purgatory.purge.interval.requests`,
  socket: 'connection.setup.timeout.max.ms connection.setup.timeout.ms',
  ssl: `
    allow.dn.changes allow.san.changes cipher.suites client.auth enabled.protocols
    endpoint.identification.algorithm engine.factory.class key.password keymanager.algorithm
    keystore.certificate.chain keystore.key keystore.location keystore.password keystore.type
    principal.mapping.rules protocol provider secure.random.implementation trustmanager.algorithm
    truststore.certificates truststore.location truststore.password truststore.type`,
  telemetry: 'max.bytes',
  transaction: `
    abort.timed.out.transaction.cleanup.interval.ms max.timeout.ms partition.verification.enable
    remove.expired.transaction.cleanup.interval.ms state.log.load.buffer.size state.log.min.isr
    state.log.num.partitions state.log.replication.factor state.log.segment.bytes
    two.phase.commit.enable`,
  transactional: 'id.expiration.ms',
  unclean: 'leader.election.enable leader.election.interval.ms',
  zookeeper: `
    connect connection.timeout.ms max.in.flight.requests session.timeout.ms set.acl
    ssl.client.enable`,
};

const BROKER_NAMES: ReadonlySet<string> = new Set(
  Object.entries(WITHOUT_EFFECT).flatMap(([head, tails]) =>
    tails
      .trim()
      .split(/\s+/)
      .map((tail) => `${head}.${tail}`),
  ),
);

/** `listener.name.<listener>.` before a setting makes it that listener's own. */
export function isKafkaBrokerName(name: string): boolean {
  return BROKER_NAMES.has(name) || name.startsWith('listener.name.');
}

const TOPIC_NAMES = new Map<string, SettingType>([
  ['compression.lz4.level', 'int'],
  ['delete.retention.ms', 'long'],
  ['follower.replication.throttled.replicas', 'list'],
  ['leader.replication.throttled.replicas', 'list'],
  ['local.retention.bytes', 'long'],
  ['local.retention.ms', 'long'],
  ['max.compaction.lag.ms', 'long'],
  ['min.cleanable.dirty.ratio', 'double'],
  ['min.compaction.lag.ms', 'long'],
  ['preallocate', 'boolean'],
  ['remote.log.copy.disable', 'boolean'],
  ['remote.log.delete.on.disable', 'boolean'],
  ['remote.storage.enable', 'boolean'],
  ['unclean.leader.election.enable', 'boolean'],
]);

export function isKafkaTopicName(name: string): boolean {
  return TOPIC_NAMES.has(name);
}

/** What kind of value Kafka keeps under this name. */
export function kafkaTopicType(name: string): SettingType | undefined {
  return TOPIC_NAMES.get(name);
}
