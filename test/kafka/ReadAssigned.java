/*
 * Kafka's Java consumer without a group: reads a partition from its beginning to its end and prints what it found.
 *
 *   java -cp "<class path>" test/kafka/ReadAssigned.java 127.0.0.1:9092 topic partition
 */
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class ReadAssigned {
    public static void main(String[] args) {
        TopicPartition partition = new TopicPartition(args[1], Integer.parseInt(args[2]));
        Map<String, Object> config = Map.of("bootstrap.servers", args[0], "check.crcs", "true");
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            long count = 0, bytes = 0, expected = consumer.position(partition), gaps = 0;
            while (consumer.position(partition) < end) {
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    if (record.offset() != expected) gaps++;
                    expected = record.offset() + 1;
                    count++;
                    bytes += record.value() == null ? 0 : record.value().length;
                }
            }
            System.out.println("records=" + count + " bytes=" + bytes + " gaps=" + gaps);
        }
    }
}
