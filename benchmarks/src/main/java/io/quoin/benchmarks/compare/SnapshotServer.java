package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.management.daemon.ControlClient;
import io.quoin.management.job.JobNews;
import io.quoin.management.job.JobState;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.JobWait;
import io.quoin.management.operation.SnapshotCreate;
import io.quoin.management.operation.SnapshotRm;
import io.quoin.management.volume.DataFolder;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A server of one disk that can make and remove its snapshots while it is written.
 *
 * <p>Threading: confined to the comparison's thread.
 */
interface SnapshotServer extends AutoCloseable {
    /** The disk's name as an export. */
    String DISK = "disk";

    String name();

    /** Of a disk that it serves. */
    String uri(String disk);

    void create(String snapshot) throws IOException;

    void remove(String snapshot) throws IOException;

    @Override
    void close();

    /** Quoin, whose data folder has the disk. */
    static SnapshotServer quoin(Bench bench, Path data) {
        DiskServer server = DiskServer.quoin(bench, data, Map.of(), List.of());
        try {
            return new Quoin(server, data);
        } catch (IOException | RuntimeException e) {
            server.close();
            throw new IllegalStateException("no service: data=" + data, e);
        }
    }

    /** QEMU's monitor with one image and its server; a machine without a processor. */
    static SnapshotServer qemu(Bench bench, Path image) throws IOException {
        return new Qemu(bench, image);
    }

    /** By the jobs of the service. */
    final class Quoin implements SnapshotServer {
        private final DiskServer server;
        private final ControlClient client;

        private Quoin(DiskServer server, Path data) throws IOException {
            this.server = server;
            this.client =
                    ControlClient.connect(new DataFolder(data))
                            .orElseThrow(() -> new IOException("no service"));
        }

        @Override
        public String name() {
            return Contender.QUOIN;
        }

        @Override
        public String uri(String disk) {
            return server.uri(disk);
        }

        @Override
        public void create(String snapshot) throws IOException {
            await(client.call(SnapshotCreate.TYPE, new SnapshotCreate.Request(DISK, snapshot)));
        }

        @Override
        public void remove(String snapshot) throws IOException {
            await(
                    client.call(
                            SnapshotRm.TYPE,
                            new SnapshotRm.Request(DISK, snapshot, null, null, null)));
        }

        private void await(JobView begun) throws IOException {
            JobView job = begun;
            long after = 0;
            while (!job.state().hasEnded()) {
                JobNews news = client.call(JobWait.TYPE, new JobWait.Request(job.id(), after, 30L));
                after = news.next();
                job = news.job();
            }
            if (job.state() != JobState.DONE) {
                throw new IOException("job has failed: " + job);
            }
        }

        @Override
        public void close() {
            client.close();
            server.close();
        }
    }

    /** By commands of its monitor (QMP), which stop the disk for as long as they take. */
    final class Qemu implements SnapshotServer {
        static final String NAME = "qemu";

        private static final Duration LIMIT = Duration.ofSeconds(30);
        private static final ObjectMapper MAPPER = new ObjectMapper();

        private final PeerProcess process;
        private final Path socket;
        private final SocketChannel channel;
        private final BufferedReader answers;

        private Qemu(Bench bench, Path image) throws IOException {
            Path monitor = bench.sockets().resolve("qmp.sock");
            socket = bench.sockets().resolve("qemu.sock");
            process =
                    Peer.QEMU_SYSTEM
                            .command(
                                    "-machine",
                                    "none",
                                    "-nodefaults",
                                    "-display",
                                    "none",
                                    "-qmp",
                                    "unix:" + monitor + ",server=on,wait=off",
                                    "-blockdev",
                                    "driver=qcow2,node-name=%s,discard=unmap,file.driver=file,file.filename=%s"
                                            .formatted(DISK, image))
                            .start();
            process.awaitSocket(monitor, LIMIT);
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(UnixDomainSocketAddress.of(monitor));
            answers = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
            answers.readLine(); // its greeting
            call("qmp_capabilities", Map.of());
            Map<String, Object> address =
                    Map.of("type", "unix", "data", Map.of("path", socket.toString()));
            call("nbd-server-start", Map.of("addr", address));
            call(
                    "block-export-add",
                    Map.of(
                            "type",
                            "nbd",
                            "id",
                            "export",
                            "node-name",
                            DISK,
                            "name",
                            DISK,
                            "writable",
                            true));
        }

        private void call(String command, Map<String, Object> arguments) throws IOException {
            ObjectNode request = MAPPER.createObjectNode();
            request.put("execute", command);
            request.set("arguments", MAPPER.valueToTree(arguments));
            channel.write(ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8)));
            String line = answers.readLine();
            while (line != null) {
                JsonNode answer = MAPPER.readTree(line);
                if (answer.has("error")) {
                    throw new IOException(command + " has failed: " + line);
                }
                if (answer.has("return")) {
                    return;
                }
                line = answers.readLine(); // an event
            }
            throw new IOException(command + ": the monitor has ended");
        }

        @Override
        public String name() {
            return NAME;
        }

        @Override
        public String uri(String disk) {
            return "nbd+unix:///" + disk + "?socket=" + socket;
        }

        @Override
        public void create(String snapshot) throws IOException {
            call("blockdev-snapshot-internal-sync", Map.of("device", DISK, "name", snapshot));
        }

        @Override
        public void remove(String snapshot) throws IOException {
            call(
                    "blockdev-snapshot-delete-internal-sync",
                    Map.of("device", DISK, "name", snapshot));
        }

        @Override
        public void close() {
            process.close();
        }
    }
}
