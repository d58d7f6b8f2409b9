// Writes Kafka messages with Kafka's own serialiser: the independent side of wire.test.ts.
// Made with the jars of org.apache.kafka:kafka-clients 4.1.2:
//   java -cp 'kafka-clients-4.1.2.jar:slf4j-api.jar' Goldens.java > goldens.json
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.protocol.types.RawTaggedField;

public class Goldens {
  static final Uuid ID = new Uuid(0x0123456789abcdefL, 0xfedcba9876543210L);
  static final List<String> lines = new ArrayList<>();

  static void golden(String name, String part, int version, Message message) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer bytes = ByteBuffer.allocate(message.size(cache, (short) version));
    message.write(new ByteBufferAccessor(bytes), cache, (short) version);
    lines.add(String.format("  { \"api\": \"%s\", \"part\": \"%s\", \"version\": %d, \"hex\": \"%s\" }",
        name, part, version, HexFormat.of().formatHex(bytes.array())));
  }

  // Tags that no client knows: they must be skipped, whatever their size.
  static void unknownTags(Message message) {
    message.unknownTaggedFields().add(new RawTaggedField(200, new byte[] {1, 2, 3}));
    message.unknownTaggedFields().add(new RawTaggedField(30000, new byte[300]));
  }

  public static void main(String[] args) {
    golden("Metadata", "request", 12, new MetadataRequestData()
        .setTopics(List.of(
            new MetadataRequestData.MetadataRequestTopic().setName("orders"),
            new MetadataRequestData.MetadataRequestTopic().setName(null).setTopicId(ID)))
        .setAllowAutoTopicCreation(false).setIncludeTopicAuthorizedOperations(false));
    MetadataResponseData metadata = new MetadataResponseData().setThrottleTimeMs(7).setClusterId("cluster").setControllerId(2);
    metadata.brokers().add(new MetadataResponseData.MetadataResponseBroker().setNodeId(1).setHost("höst").setPort(9092).setRack(null));
    metadata.brokers().add(new MetadataResponseData.MetadataResponseBroker().setNodeId(2).setHost("b").setPort(65535).setRack("r"));
    MetadataResponseData.MetadataResponseTopic topic = new MetadataResponseData.MetadataResponseTopic()
        .setErrorCode((short) 0).setName("orders").setTopicId(ID).setIsInternal(true)
        .setPartitions(List.of(new MetadataResponseData.MetadataResponsePartition().setErrorCode((short) 5)
            .setPartitionIndex(3).setLeaderId(-1).setLeaderEpoch(9).setReplicaNodes(List.of(1, 2)).setIsrNodes(List.of(2)).setOfflineReplicas(List.of(1))));
    unknownTags(topic);
    metadata.topics().add(topic);
    metadata.topics().add(new MetadataResponseData.MetadataResponseTopic().setErrorCode((short) 100).setName(null));
    unknownTags(metadata);
    golden("Metadata", "response", 12, metadata);

    CreateTopicsRequestData create = new CreateTopicsRequestData().setTimeoutMs(8000).setValidateOnly(true);
    CreateTopicsRequestData.CreatableTopic creatable = new CreateTopicsRequestData.CreatableTopic()
        .setName("orders").setNumPartitions(-1).setReplicationFactor((short) -1);
    creatable.configs().add(new CreateTopicsRequestData.CreatableTopicConfig().setName("retention.ms").setValue("1"));
    creatable.configs().add(new CreateTopicsRequestData.CreatableTopicConfig().setName("segment.ms").setValue(null));
    create.topics().add(creatable);
    CreateTopicsRequestData.CreatableTopic placed = new CreateTopicsRequestData.CreatableTopic()
        .setName("x".repeat(200)).setNumPartitions(2147483647).setReplicationFactor((short) 32767);
    placed.assignments().add(new CreateTopicsRequestData.CreatableReplicaAssignment().setPartitionIndex(0).setBrokerIds(List.of(1, 2)));
    create.topics().add(placed);
    golden("CreateTopics", "request", 7, create);
    CreateTopicsResponseData created = new CreateTopicsResponseData().setThrottleTimeMs(8963);
    CreateTopicsResponseData.CreatableTopicResult result = new CreateTopicsResponseData.CreatableTopicResult()
        .setName("orders").setTopicId(ID).setErrorMessage(null).setNumPartitions(3).setReplicationFactor((short) 2)
        .setConfigs(List.of(new CreateTopicsResponseData.CreatableTopicConfigs().setName("retention.ms").setValue("1")
            .setReadOnly(true).setConfigSource((byte) 1).setIsSensitive(true)));
    unknownTags(result);
    created.topics().add(result);
    created.topics().add(new CreateTopicsResponseData.CreatableTopicResult().setName("withheld").setTopicId(ID)
        .setErrorMessage(null).setTopicConfigErrorCode((short) 29).setNumPartitions(-1).setReplicationFactor((short) -1).setConfigs(null));
    created.topics().add(new CreateTopicsResponseData.CreatableTopicResult().setName("bad").setErrorCode((short) 40).setErrorMessage("no").setConfigs(List.of()));
    golden("CreateTopics", "response", 7, created);

    golden("DeleteTopics", "request", 6, new DeleteTopicsRequestData().setTimeoutMs(8000)
        .setTopics(List.of(new DeleteTopicsRequestData.DeleteTopicState().setName(null).setTopicId(ID))));
    DeleteTopicsResponseData deleted = new DeleteTopicsResponseData().setThrottleTimeMs(1);
    deleted.responses().add(new DeleteTopicsResponseData.DeletableTopicResult().setName(null).setTopicId(ID).setErrorCode((short) 29).setErrorMessage("Topic authorization failed."));
    golden("DeleteTopics", "response", 6, deleted);

    CreatePartitionsRequestData grow = new CreatePartitionsRequestData().setTimeoutMs(8000).setValidateOnly(false);
    grow.topics().add(new CreatePartitionsRequestData.CreatePartitionsTopic().setName("orders").setCount(6).setAssignments(null));
    grow.topics().add(new CreatePartitionsRequestData.CreatePartitionsTopic().setName("placed").setCount(2)
        .setAssignments(List.of(new CreatePartitionsRequestData.CreatePartitionsAssignment().setBrokerIds(List.of(3)))));
    golden("CreatePartitions", "request", 3, grow);
    golden("CreatePartitions", "response", 3, new CreatePartitionsResponseData().setResults(List.of(
        new CreatePartitionsResponseData.CreatePartitionsTopicResult().setName("orders").setErrorCode((short) 37).setErrorMessage("fewer"))));

    golden("DescribeConfigs", "request", 4, new DescribeConfigsRequestData().setIncludeSynonyms(true).setIncludeDocumentation(false).setResources(List.of(
        new DescribeConfigsRequestData.DescribeConfigsResource().setResourceType((byte) 2).setResourceName("orders").setConfigurationKeys(List.of("retention.ms")),
        new DescribeConfigsRequestData.DescribeConfigsResource().setResourceType((byte) 2).setResourceName("all").setConfigurationKeys(null))));
    golden("DescribeConfigs", "response", 4, new DescribeConfigsResponseData().setResults(List.of(new DescribeConfigsResponseData.DescribeConfigsResult()
        .setErrorCode((short) 0).setErrorMessage("").setResourceType((byte) 2).setResourceName("orders").setConfigs(List.of(
            new DescribeConfigsResponseData.DescribeConfigsResourceResult().setName("retention.ms").setValue(null).setReadOnly(false)
                .setConfigSource((byte) 1).setIsSensitive(true).setConfigType((byte) 5).setDocumentation(null)
                .setSynonyms(List.of(new DescribeConfigsResponseData.DescribeConfigsSynonym().setName("log.retention.ms").setValue("5").setSource((byte) 4))))))));

    IncrementalAlterConfigsRequestData alter = new IncrementalAlterConfigsRequestData().setValidateOnly(true);
    IncrementalAlterConfigsRequestData.AlterConfigsResource resource = new IncrementalAlterConfigsRequestData.AlterConfigsResource().setResourceType((byte) 2).setResourceName("orders");
    resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName("retention.ms").setConfigOperation((byte) 0).setValue("1"));
    resource.configs().add(new IncrementalAlterConfigsRequestData.AlterableConfig().setName("segment.ms").setConfigOperation((byte) 1).setValue(null));
    alter.resources().add(resource);
    golden("IncrementalAlterConfigs", "request", 1, alter);
    golden("IncrementalAlterConfigs", "response", 1, new IncrementalAlterConfigsResponseData().setResponses(List.of(
        new IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse().setErrorCode((short) 40).setErrorMessage("Unknown topic config name: nope").setResourceType((byte) 2).setResourceName("orders"))));

    golden("ListOffsets", "request", 7, new ListOffsetsRequestData().setReplicaId(-1).setIsolationLevel((byte) 0).setTopics(List.of(
        new ListOffsetsRequestData.ListOffsetsTopic().setName("orders").setPartitions(List.of(
            new ListOffsetsRequestData.ListOffsetsPartition().setPartitionIndex(1).setCurrentLeaderEpoch(-1).setTimestamp(-2))))));
    golden("ListOffsets", "response", 7, new ListOffsetsResponseData().setTopics(List.of(
        new ListOffsetsResponseData.ListOffsetsTopicResponse().setName("orders").setPartitions(List.of(
            new ListOffsetsResponseData.ListOffsetsPartitionResponse().setPartitionIndex(1).setErrorCode((short) 6)
                .setTimestamp(-1).setOffset(9007199254740993L).setLeaderEpoch(4))))));

    golden("ListPartitionReassignments", "request", 0, new ListPartitionReassignmentsRequestData().setTimeoutMs(8000).setTopics(List.of(
        new ListPartitionReassignmentsRequestData.ListPartitionReassignmentsTopics().setName("orders").setPartitionIndexes(List.of(0, 1)))));
    golden("ListPartitionReassignments", "response", 0, new ListPartitionReassignmentsResponseData().setErrorCode((short) 0).setErrorMessage(null).setTopics(List.of(
        new ListPartitionReassignmentsResponseData.OngoingTopicReassignment().setName("orders").setPartitions(List.of(
            new ListPartitionReassignmentsResponseData.OngoingPartitionReassignment().setPartitionIndex(0)
                .setReplicas(List.of(1, 2, 3)).setAddingReplicas(List.of(3)).setRemovingReplicas(List.of(1)))))));

    golden("AlterPartitionReassignments", "request", 0, new AlterPartitionReassignmentsRequestData().setTimeoutMs(8000).setTopics(List.of(
        new AlterPartitionReassignmentsRequestData.ReassignableTopic().setName("orders").setPartitions(List.of(
            new AlterPartitionReassignmentsRequestData.ReassignablePartition().setPartitionIndex(0).setReplicas(List.of(1, 2, 3)),
            new AlterPartitionReassignmentsRequestData.ReassignablePartition().setPartitionIndex(1).setReplicas(null))))));
    golden("AlterPartitionReassignments", "response", 0, new AlterPartitionReassignmentsResponseData().setThrottleTimeMs(7).setErrorMessage(null).setResponses(List.of(
        new AlterPartitionReassignmentsResponseData.ReassignableTopicResponse().setName("orders").setPartitions(List.of(
            new AlterPartitionReassignmentsResponseData.ReassignablePartitionResponse().setPartitionIndex(1).setErrorCode((short) 85).setErrorMessage(null))))));

    golden("DescribeCluster", "request", 0, new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true));
    DescribeClusterResponseData cluster = new DescribeClusterResponseData().setThrottleTimeMs(7).setErrorMessage(null)
        .setClusterId("cluster").setControllerId(2).setClusterAuthorizedOperations(264);
    cluster.brokers().add(new DescribeClusterResponseData.DescribeClusterBroker().setBrokerId(1).setHost("höst").setPort(65535).setRack(null));
    golden("DescribeCluster", "response", 0, cluster);

    System.out.println("[\n" + String.join(",\n", lines) + "\n]");
  }
}
