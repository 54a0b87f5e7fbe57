/*
 * Prints golden bytes: every API with a table, direction and version, written by Kafka's own classes. Three values each: all fields
 * filled with distinctive values, every nullable field null, and Kafka's defaults. The same of the records of __consumer_offsets. Run with Kafka's jars on the class path:
 *
 *   java -cp "$KAFKA_LIBS/*" test/wire/golden/Generate.java test/wire/golden
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.*;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordHelpers;
import org.apache.kafka.coordinator.group.OffsetAndMetadata;
import org.apache.kafka.coordinator.group.classic.ClassicGroup;
import org.apache.kafka.coordinator.group.classic.ClassicGroupState;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordType;

public class Generate {
    static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    static final ObjectMapper MAPPER = new ObjectMapper();
    static int counter;

    record Served(String name, int first, int last) {}

    public static void main(String[] args) throws Exception {
        List<Served> all = List.of(new Served("ApiVersions", 0, 4), new Served("Metadata", 0, 13), new Served("CreateTopics", 2, 7),
            new Served("Produce", 3, 13), new Served("Fetch", 4, 18), new Served("ListOffsets", 1, 11), new Served("InitProducerId", 0, 5),
            new Served("DeleteTopics", 1, 6), new Served("DeleteRecords", 0, 2), new Served("OffsetForLeaderEpoch", 2, 4), new Served("DescribeConfigs", 1, 4),
            new Served("AlterConfigs", 0, 2), new Served("AlterReplicaLogDirs", 1, 2), new Served("DescribeLogDirs", 1, 5), new Served("CreatePartitions", 0, 3),
            new Served("IncrementalAlterConfigs", 0, 1), new Served("DescribeCluster", 0, 2), new Served("DescribeProducers", 0, 0),
            new Served("DescribeTopicPartitions", 0, 0), new Served("OffsetCommit", 2, 10), new Served("OffsetFetch", 1, 10), new Served("FindCoordinator", 0, 6),
            new Served("JoinGroup", 0, 9), new Served("Heartbeat", 0, 4), new Served("LeaveGroup", 0, 5), new Served("SyncGroup", 0, 5), new Served("DescribeGroups", 0, 6),
            new Served("ListGroups", 0, 5), new Served("DeleteGroups", 0, 2), new Served("OffsetDelete", 0, 0), new Served("ConsumerGroupHeartbeat", 0, 1),
            new Served("ConsumerGroupDescribe", 0, 1));
        for (Served api : all) {
            List<String> lines = new ArrayList<>();
            for (String direction : List.of("request", "response"))
                for (int version = api.first; version <= api.last; version++)
                    for (String kind : List.of("filled", "nulls", "defaults"))
                        lines.add(line(api.name, direction, (short) version, kind));
            write(args[0], kebab(api.name) + ".jsonl", lines);
        }
        write(args[0], "headers.jsonl", headers(all));
        write(args[0], "batches.jsonl", batches());
        write(args[0], "group-records.jsonl", groupRecords());
        List<String> errors = new ArrayList<>();
        for (Errors error : Errors.values())
            errors.add(MAPPER.writeValueAsString(JSON.objectNode().put("code", error.code()).put("name", error.name())
                .put("retriable", error.exception() instanceof RetriableException)));
        write(args[0], "errors.jsonl", errors);
    }

    static void write(String folder, String file, List<String> lines) throws Exception {
        Files.writeString(Path.of(folder, file), String.join("\n", lines) + "\n");
    }

    static String line(String name, String direction, short version, String kind) throws Exception {
        Filled filled = filled("org.apache.kafka.common.message." + name + (direction.equals("request") ? "Request" : "Response") + "Data", version, kind);
        ObjectNode line = JSON.objectNode();
        line.put("version", version).put("direction", direction).put("kind", kind).put("hex", hex(filled.message, version));
        line.set("value", filled.json);
        return MAPPER.writeValueAsString(line);
    }

    record Filled(Message message, JsonNode json) {}

    static Filled filled(String data, short version, String kind) throws Exception {
        Class<?> type = Class.forName(data), converter = Class.forName(data + "JsonConverter");
        Message message;
        if (kind.equals("defaults")) {
            message = (Message) type.getConstructor().newInstance();
        } else {
            counter = 0;
            JsonNode value = struct(((Schema[]) type.getField("SCHEMAS").get(null))[version], kind.equals("nulls"));
            message = (Message) converter.getMethod("read", JsonNode.class, short.class).invoke(null, value, version);
        }
        JsonNode json = (JsonNode) converter.getMethod("write", type, short.class).invoke(null, message, version);
        return new Filled((Message) converter.getMethod("read", JsonNode.class, short.class).invoke(null, json, version), json);
    }

    /** The records of __consumer_offsets: values in every version, then a few whose version Kafka itself chooses. */
    static List<String> groupRecords() throws Exception {
        List<String> lines = new ArrayList<>();
        for (CoordinatorRecordType type : CoordinatorRecordType.values()) {
            if (!type.name().matches("(LEGACY_)?OFFSET_COMMIT|GROUP_METADATA|CONSUMER_GROUP_.*")) continue;
            ApiMessage value = type.newRecordValue();
            Filled key = filled(type.newRecordKey().getClass().getName(), (short) 0, "filled");
            for (short version = value.lowestSupportedVersion(); version <= value.highestSupportedVersion(); version++)
                for (String kind : List.of("filled", "nulls", "defaults"))
                    lines.add(groupRecord(kind, version, key, filled(value.getClass().getName(), version, kind)));
        }
        Uuid topicId = new Uuid(77, -78);
        ClassicGroup empty = new ClassicGroup(new LogContext(), "g", ClassicGroupState.EMPTY, Time.SYSTEM, 5,
            Optional.of("consumer"), Optional.empty(), Optional.empty(), Optional.of(1_700_000_000_000L));
        for (CoordinatorRecord record : List.of(
            GroupCoordinatorRecordHelpers.newOffsetCommitRecord("g", "t", 3,
                new OffsetAndMetadata(42, OptionalInt.of(7), "note", 1_700_000_000_000L, OptionalLong.empty(), topicId)),
            GroupCoordinatorRecordHelpers.newOffsetCommitRecord("g", "t", 4,
                new OffsetAndMetadata(43, OptionalInt.empty(), "", 1_700_000_000_000L, OptionalLong.of(1_700_000_086_400L), topicId)),
            GroupCoordinatorRecordHelpers.newEmptyGroupMetadataRecord(empty)))
            lines.add(groupRecord("written", record.value().version(), asJson(record.key(), (short) 0),
                asJson(record.value().message(), record.value().version())));
        return lines;
    }

    static Filled asJson(ApiMessage message, short version) throws Exception {
        Class<?> converter = Class.forName(message.getClass().getName() + "JsonConverter");
        return new Filled(message, (JsonNode) converter.getMethod("write", message.getClass(), short.class).invoke(null, message, version));
    }

    static String groupRecord(String kind, short version, Filled key, Filled value) throws Exception {
        ObjectNode line = JSON.objectNode();
        line.put("type", ((ApiMessage) key.message).apiKey()).put("version", version).put("kind", kind);
        line.put("keyHex", HexFormat.of().formatHex(MessageUtil.toCoordinatorTypePrefixedBytes((ApiMessage) key.message)));
        line.put("valueHex", HexFormat.of().formatHex(MessageUtil.toVersionPrefixedBytes(version, value.message)));
        line.set("key", key.json);
        line.set("value", value.json);
        return MAPPER.writeValueAsString(line);
    }

    static String hex(Message message, short version) {
        ByteBufferAccessor accessor = MessageUtil.toByteBufferAccessor(message, version);
        ByteBuffer buffer = accessor.buffer().duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    static JsonNode struct(Schema schema, boolean nulls) {
        ObjectNode node = JSON.objectNode();
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                for (Field field : tagged.fields().values()) node.set(camel(field.name), value(field.type, nulls));
            } else {
                node.set(camel(bound.def.name), value(bound.def.type, nulls));
            }
        }
        return node;
    }

    static JsonNode value(Type type, boolean nulls) {
        if (nulls && type.isNullable()) return NullNode.instance;
        if (type.isArray()) {
            ArrayNode array = JSON.arrayNode();
            int count = 1 + counter % 3;
            for (int i = 0; i < count; i++) array.add(value(type.arrayElementType().get(), nulls));
            return array;
        }
        if (type instanceof Schema schema) return struct(schema, nulls);
        int n = ++counter;
        switch (type.toString()) {
            case "BOOLEAN": return JSON.booleanNode(n % 2 == 1);
            case "INT8": return JSON.numberNode(n % 100 - 50);
            case "INT16": return JSON.numberNode(n * 257 % 30000);
            case "INT32": return JSON.numberNode(n * 16843009 * (n % 2 == 0 ? -1 : 1));
            case "INT64": return JSON.numberNode(n * 72340172838L * (n % 2 == 0 ? -1 : 1));
            case "STRING": case "COMPACT_STRING": case "NULLABLE_STRING": case "COMPACT_NULLABLE_STRING":
                return JSON.textNode(text(n));
            case "UUID": return JSON.textNode(new Uuid(0x1122334455667788L * n, -0x0102030405060708L * n).toString());
            case "BYTES": case "COMPACT_BYTES": case "NULLABLE_BYTES": case "COMPACT_NULLABLE_BYTES":
                return JSON.binaryNode(("bytes " + "y".repeat(n)).getBytes(StandardCharsets.UTF_8));
            case "NULLABLE_RECORDS": case "COMPACT_NULLABLE_RECORDS": case "RECORDS": case "COMPACT_RECORDS":
                return JSON.binaryNode(("records " + "x".repeat(n * 7)).getBytes(StandardCharsets.UTF_8));
            default: throw new IllegalArgumentException(type.toString());
        }
    }

    static String text(int n) {
        if (n % 5 == 0) return "žluťoučký-" + n + "-\uD83D\uDC34";
        if (n % 7 == 0) return "long-" + "abcdefghij".repeat(13) + n;
        return "text-" + n;
    }

    static String camel(String snake) {
        StringBuilder text = new StringBuilder();
        for (String part : snake.split("_")) text.append(text.isEmpty() ? part.substring(0, 1) : part.substring(0, 1).toUpperCase()).append(part.substring(1));
        return text.toString();
    }

    static String kebab(String name) {
        return name.replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase();
    }

    static List<String> headers(List<Served> all) throws Exception {
        List<String> lines = new ArrayList<>();
        for (Served api : all) {
            ApiKeys key = ApiKeys.forId(Integer.parseInt("" + Class.forName("org.apache.kafka.common.message." + api.name + "RequestData")
                .getMethod("apiKey").invoke(Class.forName("org.apache.kafka.common.message." + api.name + "RequestData").getConstructor().newInstance())));
            for (short version = (short) api.first; version <= api.last; version++) {
                for (String client : new String[] {"client-" + version, "", null}) {
                    RequestHeaderData request = new RequestHeaderData().setRequestApiKey(key.id).setRequestApiVersion(version)
                        .setCorrelationId(77 + version).setClientId(client);
                    ResponseHeaderData response = new ResponseHeaderData().setCorrelationId(77 + version);
                    ObjectNode line = JSON.objectNode();
                    line.put("apiKey", key.id).put("version", version).put("correlationId", 77 + version).put("clientId", client);
                    line.put("request", hex(request, key.requestHeaderVersion(version)));
                    line.put("response", hex(response, key.responseHeaderVersion(version)));
                    lines.add(MAPPER.writeValueAsString(line));
                }
            }
        }
        return lines;
    }

    static List<String> batches() throws Exception {
        List<String> lines = new ArrayList<>();
        for (CompressionType type : CompressionType.values()) {
            for (TimestampType timestampType : List.of(TimestampType.CREATE_TIME, TimestampType.LOG_APPEND_TIME)) {
                boolean transactional = timestampType == TimestampType.LOG_APPEND_TIME;
                ByteBuffer buffer = ByteBuffer.allocate(65536);
                MemoryRecordsBuilder builder = new MemoryRecordsBuilder(buffer, RecordBatch.MAGIC_VALUE_V2, Compression.of(type).build(),
                    timestampType, 5_000_000_123L, 1_700_000_000_000L, 4_000_000_007L, (short) 12, 345, transactional, false, 9, 65536);
                ArrayNode records = JSON.arrayNode();
                for (int i = 0; i < 5; i++) {
                    byte[] key = i % 2 == 0 ? null : ("key-" + i).getBytes(StandardCharsets.UTF_8);
                    byte[] value = i == 3 ? null : ("value ".repeat(i * 30)).getBytes(StandardCharsets.UTF_8);
                    Header[] headers = i < 3 ? new Header[0] : new Header[] {
                        new RecordHeader("h" + i, ("v" + i).getBytes(StandardCharsets.UTF_8)), new RecordHeader("žluť", null)};
                    long timestamp = 1_699_999_999_000L + (i == 4 ? 10_000_000_000L : i * 997L);
                    builder.append(timestamp, key, value, headers);
                    ObjectNode record = JSON.objectNode();
                    record.put("timestamp", timestamp).put("key", key).put("value", value);
                    ArrayNode list = record.putArray("headers");
                    for (Header header : headers) list.addObject().put("key", header.key()).put("value", header.value());
                    records.add(record);
                }
                MemoryRecords built = builder.build();
                byte[] bytes = new byte[built.sizeInBytes()];
                built.buffer().duplicate().get(bytes);
                RecordBatch batch = built.batches().iterator().next();
                ObjectNode line = JSON.objectNode();
                line.put("codec", type.id).put("logAppendTime", timestampType == TimestampType.LOG_APPEND_TIME).put("transactional", transactional)
                    .put("baseOffset", batch.baseOffset()).put("lastOffset", batch.lastOffset()).put("leaderEpoch", batch.partitionLeaderEpoch())
                    .put("maxTimestamp", batch.maxTimestamp()).put("producerId", batch.producerId()).put("producerEpoch", batch.producerEpoch())
                    .put("baseSequence", batch.baseSequence()).put("crc", batch.checksum()).put("hex", HexFormat.of().formatHex(bytes));
                line.set("records", records);
                lines.add(MAPPER.writeValueAsString(line));
            }
        }
        return lines;
    }
}
