package io.quoin.replicate.volume;

import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.xlator.graph.NodeStates;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which start of each brick of a set was seen last, kept beyond the process: a brick whose folder
 * is put back to an earlier time begins to count its starts from there, and is found by that. It is
 * written when a brick is reached in a start that is new, beside the bricks' use, which does not
 * wait for it: a process that ends in the moment between knows the start before.
 *
 * <p>Kept as text: a line that says what it is, and for each brick its index, its id, its count of
 * starts and the id of the last.
 *
 * <p>Threading: thread-safe.
 */
final class SeenStarts {
    private static final Logger LOG = LoggerFactory.getLogger(SeenStarts.class);
    private static final String HEAD = "quoin-bricks-seen 1";
    private static final int FIELDS = 4;

    private record Seen(UUID brick, long startCount, long startId) {}

    private final String node;
    private final NodeStates states;
    private final Executor blocking;
    private final SortedMap<Integer, Seen> seen = new TreeMap<>();
    private final Object writing = new Object();
    private byte[] written = new byte[0];

    private SeenStarts(String node, NodeStates states, Executor blocking) {
        this.node = node;
        this.states = states;
        this.blocking = blocking;
    }

    /**
     * Those that a node of this name has kept. Blocks. What cannot be read is logged, and counts as
     * never seen.
     *
     * @param blocking for writing
     */
    static SeenStarts read(String node, NodeStates states, Executor blocking) {
        SeenStarts starts = new SeenStarts(node, states, blocking);
        try {
            states.read(node).ifPresent(starts::decode);
        } catch (BlockException | IllegalArgumentException e) {
            starts.seen.clear();
            LOG.warn(
                    "Not known which starts of bricks were seen: node={}, reason={}",
                    node,
                    e.getMessage());
        }
        return starts;
    }

    private void decode(byte[] content) {
        List<String> lines = new String(content, StandardCharsets.UTF_8).lines().toList();
        if (lines.isEmpty() || !lines.get(0).equals(HEAD)) {
            throw new IllegalArgumentException("unknown content: expected=" + HEAD);
        }
        for (String line : lines.subList(1, lines.size())) {
            String[] fields = line.split(" ", -1);
            if (fields.length != FIELDS) {
                throw new IllegalArgumentException("illegal line: fields=" + fields.length);
            }
            seen.put(
                    Integer.parseInt(fields[0]),
                    new Seen(
                            UUID.fromString(fields[1]),
                            Long.parseLong(fields[2]),
                            Long.parseLong(fields[3])));
        }
    }

    private synchronized byte[] encode() {
        StringBuilder text = new StringBuilder(HEAD).append('\n');
        seen.forEach(
                (index, last) ->
                        text.append(index)
                                .append(' ')
                                .append(last.brick)
                                .append(' ')
                                .append(last.startCount)
                                .append(' ')
                                .append(last.startId)
                                .append('\n'));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Why this brick is not the one that was seen as it is now: its disk is of an earlier time.
     * Null if it is, or if that brick was never seen.
     */
    synchronized @Nullable String refusalOf(BrickIdentity found) {
        Seen last = seen.get(found.index());
        if (last == null || !last.brick.equals(found.brick())) {
            return null;
        }
        boolean isSameStart =
                last.startCount == found.startCount()
                        && (last.startId == found.startId()
                                || last.startId == 0
                                || found.startId() == 0);
        if (isSameStart || found.startCount() > last.startCount) {
            return null;
        }
        return "has been rolled back: starts="
                + found.startCount()
                + ", expected=at least "
                + (found.startCount() == last.startCount ? last.startCount + 1 : last.startCount)
                + "; what it has is of an earlier time: put back what it had last, or empty it and"
                + " make it a new brick with quoin volume replace-brick";
    }

    /** A brick was reached that is not refused. */
    synchronized void note(BrickIdentity found) {
        Seen next = new Seen(found.brick(), found.startCount(), found.startId());
        Seen last = seen.put(found.index(), next);
        if (last != null && !last.brick.equals(next.brick)) {
            LOG.warn(
                    "Brick replaced: node={}, brick={}, id={}, before={}",
                    node,
                    found.index(),
                    next.brick,
                    last.brick);
        }
        if (!next.equals(last)) {
            try {
                blocking.execute(this::write);
            } catch (RejectedExecutionException e) {
                LOG.debug("The process ends: node={}", node, e);
            }
        }
    }

    /** The newest of what was noted: writes that follow one another never go back. */
    private void write() {
        synchronized (writing) {
            byte[] content = encode();
            if (Arrays.equals(content, written)) {
                return;
            }
            try {
                states.write(node, content);
                written = content;
            } catch (BlockException e) {
                LOG.warn(
                        "Not kept which starts of bricks were seen: node={}, reason={}",
                        node,
                        e.getMessage());
            }
        }
    }
}
