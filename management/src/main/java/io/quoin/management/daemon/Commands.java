package io.quoin.management.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.management.volume.CheckEvents;

/**
 * Takes commands about a volume: in this process, or a daemon over its control socket. Command
 * names and their arguments and results are in docs/adr/0009-daemon-and-control-socket.md.
 *
 * <p>Threading: as the implementation says.
 */
public interface Commands extends AutoCloseable {
    /**
     * Carries out one command.
     *
     * @throws io.quoin.block.BlockException if it fails
     */
    default JsonNode call(String command, ObjectNode arguments) {
        return call(command, arguments, CheckEvents.SILENT);
    }

    /** As above, and tells {@code events} how a long one gets on. */
    JsonNode call(String command, ObjectNode arguments, CheckEvents events);

    @Override
    void close();
}
