package io.quoin.management.guest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A disk that a QEMU has attached over NBD, by its monitor.
 *
 * <p>QEMU asks an NBD server for the size of an export once, when it connects, and {@code
 * block_resize} takes no size beyond that. So it is made to connect again: the service closes the
 * connection while the guest is paused and asks for nothing, QEMU finds that out with a read, and
 * is told then. Source: QEMU's block/nbd.c.
 *
 * <p>Threading: confined to one thread at a time.
 */
public final class QemuDisk implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String UNIX = "nbd+unix:///";
    private static final String SOCKET = "?socket=";
    private static final String TCP = "nbd://";
    private static final String JSON_NAME = "json:";
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long PAUSE_MILLIS = 50;

    private final QemuMonitor monitor;
    private final String node;
    private final List<String> above;

    /**
     * @param node of driver nbd
     * @param above nodes on top of it that show the same bytes
     */
    private QemuDisk(QemuMonitor monitor, String node, List<String> above) {
        this.monitor = monitor;
        this.node = node;
        this.above = above;
    }

    /**
     * Finds it.
     *
     * @param socket of the monitor, as in QEMU's {@code -qmp unix:SOCKET,server=on,wait=off}
     * @param export as the service calls it
     * @param served path of the unix socket of the service; null: it has none
     * @throws BlockException if the monitor cannot be used, or ENOENT if that QEMU has no such disk
     */
    public static QemuDisk find(Path socket, String export, @Nullable String served) {
        QemuMonitor monitor = QemuMonitor.open(socket);
        try {
            String node = null;
            List<String> above = new ArrayList<>();
            for (JsonNode each : monitor.call("query-named-block-nodes", Map.of("flat", true))) {
                if (shows(each.path("file").asText(), export, served)) {
                    String name = each.path("node-name").asText();
                    if (!each.path("drv").asText().equals("nbd")) {
                        above.add(name);
                    } else if (node == null) {
                        node = name;
                    } else {
                        throw new BlockException(
                                BlockError.ENOTSUP,
                                "QEMU has the disk twice: name="
                                        + export
                                        + ", nodes="
                                        + node
                                        + ", "
                                        + name);
                    }
                }
            }
            if (node == null) {
                throw new BlockException(
                        BlockError.ENOENT,
                        "QEMU does not have the disk: name="
                                + export
                                + ", monitor="
                                + monitor.name()
                                + ", expected=a node of driver nbd with that export of this"
                                + " service");
            }
            return new QemuDisk(monitor, node, above);
        } catch (RuntimeException e) {
            monitor.close();
            throw e;
        }
    }

    /** Whether a file name of QEMU's means an export; over TCP whatever the address is called. */
    private static boolean shows(String file, String export, @Nullable String served) {
        if (file.startsWith(UNIX)) {
            int end = file.lastIndexOf(SOCKET);
            return end >= UNIX.length()
                    && file.substring(UNIX.length(), end).equals(export)
                    && isServed(file.substring(end + SOCKET.length()), served);
        }
        if (file.startsWith(TCP)) {
            int end = file.indexOf('/', TCP.length());
            return end > 0 && file.substring(end + 1).equals(export);
        }
        if (file.startsWith(JSON_NAME)) {
            JsonNode options = bottom(file.substring(JSON_NAME.length()));
            String path = options.path("server").path("path").asText(options.path("path").asText());
            return options.path("driver").asText().equals("nbd")
                    && options.path("export").asText().equals(export)
                    && (path.isEmpty() || isServed(path, served));
        }
        return false;
    }

    private static JsonNode bottom(String json) {
        try {
            JsonNode options = JSON.readTree(json);
            while (options.path("file").isObject()) {
                options = options.path("file");
            }
            return options;
        } catch (JsonProcessingException e) {
            throw new BlockException(BlockError.EIO, "QEMU names a file that is no JSON", e);
        }
    }

    private static boolean isServed(String path, @Nullable String served) {
        return served != null && isSame(Path.of(path), Path.of(served));
    }

    private static boolean isSame(Path one, Path other) {
        try {
            return one.toRealPath().equals(other.toRealPath());
        } catch (IOException e) {
            return one.equals(other);
        }
    }

    /**
     * Has QEMU, and the guest, see the size that the disk has by now. The guest is paused meanwhile
     * if it runs, so that no request of its own meets a closed connection.
     *
     * @param disconnect closes its connections to the disk
     * @throws BlockException EIO if QEMU does not take it
     */
    public void learnSize(long sizeBytes, Runnable disconnect) {
        boolean isRunning = monitor.call("query-status", Map.of()).path("running").asBoolean();
        if (isRunning) {
            monitor.call("stop", Map.of());
        }
        try {
            disconnect.run();
            long deadlineNanos = System.nanoTime() + LIMIT_NANOS;
            resize(node, sizeBytes, deadlineNanos);
            for (String each : above) {
                resize(each, sizeBytes, deadlineNanos);
            }
        } finally {
            if (isRunning) {
                monitor.call("cont", Map.of());
            }
        }
    }

    private void resize(String name, long sizeBytes, long deadlineNanos) {
        while (true) {
            read();
            try {
                monitor.call("block_resize", Map.of("node-name", name, "size", sizeBytes));
                return;
            } catch (BlockException e) {
                if (deadlineNanos - System.nanoTime() <= 0) {
                    throw new BlockException(
                            e.error(),
                            "QEMU does not take the new size: node="
                                    + name
                                    + ", reason="
                                    + e.getMessage(),
                            e);
                }
            }
            pause();
        }
    }

    /**
     * A connection that was closed is found out, and made again, when something is asked for. The
     * first read may fail with it.
     */
    private void read() {
        String line = "qemu-io " + node + " \"read -q 0 512\"";
        monitor.call("human-monitor-command", Map.of("command-line", line));
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    /** The node of driver nbd. */
    public String node() {
        return node;
    }

    /** Leaves the monitor to others. */
    @Override
    public void close() {
        monitor.close();
    }
}
