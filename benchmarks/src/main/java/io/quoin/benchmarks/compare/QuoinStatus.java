package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockException;
import io.quoin.management.daemon.ControlClient;
import io.quoin.management.operation.Status;
import io.quoin.management.volume.DataFolder;
import java.io.IOException;
import java.nio.file.Path;

/**
 * What {@code quoin status} tells about memory.
 *
 * <p>Threading: immutable.
 *
 * @param tablesBytes L1 and refcount tables, for as long as an image is open
 * @param cacheBytes slices of L2 tables and refcount blocks
 * @param imageFiles that are open now, backing files among them
 */
record QuoinStatus(long tablesBytes, long cacheBytes, long imageFiles) {
    static final QuoinStatus NONE = new QuoinStatus(0, 0, 0);

    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Asks the service of a data folder, without a virtual machine in between. */
    static QuoinStatus of(Path data) throws IOException {
        try (ControlClient service =
                ControlClient.connect(new DataFolder(data))
                        .orElseThrow(() -> new IOException("no service: data=" + data))) {
            return parse(MAPPER.valueToTree(service.call(Status.TYPE, new Status.Request())));
        } catch (BlockException e) {
            throw new IOException("no status: data=" + data, e);
        }
    }

    static QuoinStatus parse(JsonNode status) {
        JsonNode brick = status.path("statistics");
        while (brick.path("subvolumes").size() > 0) {
            brick = brick.path("subvolumes").path(0);
        }
        return new QuoinStatus(
                usedBytes(status, "tables"),
                usedBytes(status, "cache"),
                brick.path("values").path("files-open").asLong());
    }

    /** Of two, the one with more open files. */
    QuoinStatus fuller(QuoinStatus later) {
        return later.imageFiles() >= imageFiles ? later : this;
    }

    private static long usedBytes(JsonNode status, String use) {
        for (JsonNode one : status.path("memory").path("uses")) {
            if (one.path("name").asText().equals(use)) {
                return one.path("usedBytes").asLong();
            }
        }
        return 0;
    }
}
