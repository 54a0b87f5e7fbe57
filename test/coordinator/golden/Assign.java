/*
 * Prints what Kafka's own server-side assignors make of groups: small ones at random from one seed, each followed through a
 * few changes (a member more, a member less, more partitions, other subscriptions), with what was assigned before. Run with
 * Kafka's jars on the class path:
 *
 *   java -cp "$KAFKA_LIBS/*" test/coordinator/golden/Assign.java > test/coordinator/golden/assignments.jsonl
 */
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.PartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

public class Assign {
    static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    static final Random RANDOM = new Random(848);

    static class Group {
        final TreeMap<String, String> instances = new TreeMap<>();
        final TreeMap<String, TreeSet<Integer>> topics = new TreeMap<>();
        final TreeMap<String, Map<Uuid, Set<Integer>>> owned = new TreeMap<>();
        final TreeMap<Integer, Integer> partitions = new TreeMap<>();
    }

    static Uuid id(int topic) {
        return new Uuid(topic + 1, topic + 1);
    }

    public static void main(String[] args) throws Exception {
        for (PartitionAssignor assignor : List.of(new RangeAssignor(), new UniformAssignor()))
            for (boolean same : new boolean[] {true, false})
                for (int round = 0; round < 12; round++) follow(assignor, same);
    }

    static void follow(PartitionAssignor assignor, boolean same) throws Exception {
        Group group = new Group();
        int topics = 1 + RANDOM.nextInt(5);
        for (int topic = 0; topic < topics; topic++) group.partitions.put(topic, 1 + RANDOM.nextInt(11));
        int members = 1 + RANDOM.nextInt(5);
        for (int member = 0; member < members; member++) join(group, same);
        for (int step = 0; step < 5; step++) {
            assign(assignor, group);
            int change = RANDOM.nextInt(same ? 3 : 4);
            if (change == 0) join(group, same);
            if (change == 1 && group.topics.size() > 1) {
                String gone = new ArrayList<>(group.topics.keySet()).get(RANDOM.nextInt(group.topics.size()));
                group.topics.remove(gone);
                group.owned.remove(gone);
                group.instances.remove(gone);
            }
            if (change == 2) group.partitions.merge(RANDOM.nextInt(topics), 1 + RANDOM.nextInt(4), Integer::sum);
            if (change == 3) group.topics.put(new ArrayList<>(group.topics.keySet()).get(RANDOM.nextInt(group.topics.size())), some(group));
        }
    }

    static void join(Group group, boolean same) {
        String name = "m" + (10 + RANDOM.nextInt(90));
        if (RANDOM.nextInt(3) == 0) group.instances.put(name, "i" + (10 + RANDOM.nextInt(90)));
        group.topics.put(name, same ? new TreeSet<>(group.partitions.keySet()) : some(group));
        group.owned.putIfAbsent(name, Map.of());
    }

    static TreeSet<Integer> some(Group group) {
        TreeSet<Integer> some = new TreeSet<>();
        for (int topic : group.partitions.keySet()) if (RANDOM.nextInt(3) > 0) some.add(topic);
        if (some.isEmpty()) some.add(RANDOM.nextInt(group.partitions.size()));
        return some;
    }

    static void assign(PartitionAssignor assignor, Group group) throws Exception {
        Map<String, MemberSubscriptionAndAssignmentImpl> members = new HashMap<>();
        Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
        ObjectNode line = JSON.objectNode().put("assignor", assignor.name());
        ArrayNode counts = line.putArray("partitions");
        group.partitions.values().forEach(counts::add);
        ArrayNode list = line.putArray("members");
        for (String name : group.topics.keySet()) {
            Set<Uuid> subscribed = new HashSet<>();
            group.topics.get(name).forEach(topic -> subscribed.add(id(topic)));
            members.put(name, new MemberSubscriptionAndAssignmentImpl(Optional.empty(), Optional.ofNullable(group.instances.get(name)),
                subscribed, new Assignment(group.owned.get(name))));
            group.owned.get(name).forEach((topic, owned) -> owned.forEach(partition ->
                inverted.computeIfAbsent(topic, __ -> new HashMap<>()).put(partition, name)));
            ObjectNode member = list.addObject().put("id", name).put("instanceId", group.instances.get(name));
            ArrayNode subscribedNode = member.putArray("topics");
            group.topics.get(name).forEach(subscribedNode::add);
            member.set("owned", partitions(group.owned.get(name)));
        }
        boolean same = group.topics.values().stream().distinct().count() == 1;
        SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
            public int numPartitions(Uuid topic) {
                return group.partitions.get((int) topic.getMostSignificantBits() - 1);
            }

            public Set<String> racksForPartition(Uuid topic, int partition) {
                return Set.of();
            }
        };
        var result = assignor.assign(new GroupSpecImpl(members, same ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS, inverted), describer);
        ObjectNode assigned = line.putObject("assigned");
        for (String name : group.topics.keySet()) {
            Map<Uuid, Set<Integer>> target = result.members().get(name).partitions();
            assigned.set(name, partitions(target));
            group.owned.put(name, target);
        }
        System.out.println(new ObjectMapper().writeValueAsString(line));
    }

    /** By the number of the topic. */
    static ObjectNode partitions(Map<Uuid, Set<Integer>> owned) {
        ObjectNode node = JSON.objectNode();
        new TreeMap<>(owned).forEach((topic, partitions) -> {
            if (partitions.isEmpty()) return;
            ArrayNode numbers = node.putArray(String.valueOf(topic.getMostSignificantBits() - 1));
            new TreeSet<>(partitions).forEach(numbers::add);
        });
        return node;
    }
}
