package io.quoin.management.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

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
    JsonNode call(String command, ObjectNode arguments);

    @Override
    void close();
}
