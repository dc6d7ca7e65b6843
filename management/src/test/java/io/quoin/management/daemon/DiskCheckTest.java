package io.quoin.management.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobFailure;
import io.quoin.management.job.JobState;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.DiskCheck;
import io.quoin.management.operation.DiskCreate;
import io.quoin.management.operation.DiskInfo;
import io.quoin.management.operation.DiskLs;
import io.quoin.management.operation.JobCancel;
import io.quoin.management.operation.JobFollower;
import io.quoin.management.operation.JobLs;
import io.quoin.management.operation.JobPause;
import io.quoin.management.operation.JobResume;
import io.quoin.management.operation.JobShow;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.Status;
import io.quoin.management.volume.DataFolder;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code disk.check} of a service that has clients. */
@Timeout(180)
class DiskCheckTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CHECKS = Integer.getInteger("quoin.served.checks", 20);
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int CLUSTER = 4096;
    private static final int WRITES_MIN = 400;

    private final SocketFolder sockets = SocketFolder.create();

    /** The common pool may have one thread alone. */
    private static final Executor THREADS = task -> new Thread(task, "check").start();

    private final DataFolder folder = new DataFolder(sockets.resolve("data"));
    private final Path image = folder.path().resolve("brick").resolve("vm1.qcow2");
    private final List<String> findings = new ArrayList<>();

    @AfterEach
    void removeTheFolder() {
        sockets.close();
    }

    @Test
    void shouldFindNothingWhileClientsWriteTrimAndFlush() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.FIO);
        make("cluster_size=4k", "512M");
        try (Daemon daemon = start();
                PeerProcess fio = fio(daemon).start()) {
            int checks = 0;
            long ahead = 0;
            while (checks < CHECKS || ahead == 0 || count("write") < WRITES_MIN) {
                JsonNode result = check("none");
                assertThat(findings).isEmpty();
                assertThat(exitFields(result)).isEqualTo("0 0 0");
                ahead += result.path("counted-ahead-clusters").asLong();
                checks++;
                assertThat(fio.alive()).as(fio.stderr()).isTrue();
            }
            System.out.println(
                    "checks="
                            + checks
                            + ", counted ahead="
                            + ahead
                            + ", writes="
                            + count("write")
                            + ", trims="
                            + count("discard")
                            + ", flushes="
                            + count("flush"));
            assertThat(count("discard")).isPositive();
            assertThat(count("flush")).isPositive();
            fio.terminate();
            fio.awaitExit(LIMIT);
        }
        assertThat(qemuCheck().exitCode()).as("%s", qemuCheck()).isZero();
    }

    @Test
    void shouldFindAndRepairWhatIsPlantedWhileADiskIsServed() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.NBDSH);
        make("cluster_size=4k", "64M");
        Peer.QEMU_IO
                .command("-c", "write -P 1 0 16M", "-c", "discard 1M 64k", image.toString())
                .runOk();
        long free = firstFree();
        try (Daemon daemon = start();
                PeerProcess client = attached(daemon)) {
            assertThat(exitFields(check("none"))).isEqualTo("0 0 0");

            count(free, 1);
            assertThat(exitFields(check("none"))).isEqualTo("0 0 1");
            assertThat(findings).singleElement().asString().startsWith("Leaked cluster " + free);
            JsonNode repaired = check("leaks");
            assertThat(exitFields(repaired)).isEqualTo("0 0 0");
            assertThat(repaired.path("leaks-fixed").asInt()).isEqualTo(1);
            assertThat(count(free)).as("on disk").isZero();
            assertThat(exitFields(check("none"))).isEqualTo("0 0 0");

            int before = count(1);
            count(1, 0);
            count(free + 1, 1);
            findings.clear();
            assertThat(exitFields(check("leaks"))).isEqualTo("0 1 1");
            assertThat(findings)
                    .anyMatch(text -> text.contains("cluster 1 refcount=0 reference=1"));
            count(1, before);
            assertThat(client.alive()).isTrue();
            qemuIo(daemon, "write -P 2 20M 8M", "flush");
            assertThat(exitFields(check("leaks"))).startsWith("0 0");
        }
        assertThat(qemuCheck().exitCode()).as("%s", qemuCheck()).isZero();
    }

    @Test
    void shouldCheckADiskThatCannotBeOpenedForWriting() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        make("cluster_size=4k", "64M");
        Peer.QEMU_IO.command("-c", "write -P 1 0 1M", image.toString()).runOk();
        write(79, (byte) 2); // the corrupt bit
        try (Daemon daemon = start()) {
            assertThat(daemon.disks()).hasSize(1);
            assertThat(exitFields(check("none"))).isEqualTo("0 0 0");
            assertFails(() -> check("leaks"), BlockError.ENOTSUP, "corrupt");
        }
    }

    @Test
    void shouldSayWhatCannotBeChecked() {
        try (Daemon daemon = start()) {
            assertThat(daemon.disks()).isEmpty();
            assertFails(() -> check("none"), BlockError.ENOENT, "no such disk: name=vm1");
            call(DiskCreate.TYPE, new DiskCreate.Request("vm1", 1 << 20, Map.of("format", "raw")));
            assertThat(check("none")).hasToString("{\"name\":\"vm1\",\"has-check\":false}");
            assertFails(() -> check("all"), BlockError.EINVAL, "quoin image check --repair all");
            assertFails(() -> check("some"), BlockError.EINVAL, "expected=none or leaks");
        }
    }

    @Test
    void shouldEndTheCheckWhenTheServiceEnds() throws Exception {
        Peer.assumeAll(Peer.QEMU_IMG);
        makeSlowToCheck();
        CompletableFuture<JsonNode> running;
        try (Daemon daemon = start()) {
            running = CompletableFuture.supplyAsync(() -> check("none"), THREADS);
            awaitRunning();
            assertFails(() -> check("none"), BlockError.EBUSY, "being checked already");
            assertThat(daemon.disks()).hasSize(1);
        }
        assertThatThrownBy(() -> running.get(LIMIT.toSeconds(), TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("the check was stopped, as the service ends");
        assertThat(qemuCheck().exitCode()).isZero();
    }

    @Test
    void shouldGoOnWithoutItsClientAndEndWhenItIsCancelled() throws Exception {
        Peer.assumeAll(Peer.QEMU_IMG);
        makeSlowToCheck();
        try (Daemon daemon = start()) {
            assertThat(daemon.disks()).hasSize(1);
            String id = begin("none").id(); // that client has closed its connection
            awaitRunning();
            assertThat(job(id).state()).isEqualTo(JobState.RUNNING);
            assertThat(call(JobLs.TYPE, new JobLs.Request()).jobs()).hasSize(1);

            call(JobCancel.TYPE, new JobCancel.Request(id));
            assertThat(follow(id).state()).isEqualTo(JobState.CANCELLED);
            while (info().path("connections").asInt() > 0) {
                Thread.onSpinWait();
            }
            assertThat(exitFields(check("none"))).isEqualTo("0 0 0");
            assertThat(job(id).failure()).extracting(JobFailure::error).isEqualTo("ESHUTDOWN");
        }
        try (Daemon daemon = start()) {
            assertThat(daemon.disks()).hasSize(1);
            assertThat(call(JobLs.TYPE, new JobLs.Request()).jobs())
                    .extracting(JobView::state)
                    .containsExactly(JobState.CANCELLED, JobState.DONE);
        }
    }

    @Test
    void shouldWaitWhilePausedAndServeGuestsMeanwhile() throws Exception {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        makeSlowToCheck();
        try (Daemon daemon = start()) {
            String id = begin("none").id();
            awaitRunning();
            assertThat(call(JobPause.TYPE, new JobPause.Request(id)).state())
                    .isEqualTo(JobState.PAUSED);
            assertFails(
                    () -> call(JobPause.TYPE, new JobPause.Request(id)),
                    BlockError.EINVAL,
                    "expected=running, actual=paused");
            qemuIo(daemon, "write -P 2 0 64k", "flush", "read -P 2 0 64k");
            assertThat(job(id).state()).isEqualTo(JobState.PAUSED);
            call(JobResume.TYPE, new JobResume.Request(id));
            assertThat(follow(id).state()).isEqualTo(JobState.DONE);
        }
        assertThat(qemuCheck().exitCode()).as("%s", qemuCheck()).isZero();
    }

    @Test
    void shouldInterruptAPausedCheckWhenTheServiceEnds() throws Exception {
        Peer.assumeAll(Peer.QEMU_IMG);
        makeSlowToCheck();
        String id;
        try (Daemon daemon = start()) {
            assertThat(daemon.disks()).hasSize(1);
            id = begin("none").id();
            awaitRunning();
            call(JobPause.TYPE, new JobPause.Request(id));
        }
        try (Daemon daemon = start()) {
            assertThat(daemon.disks()).hasSize(1);
            assertThat(job(id).state()).isEqualTo(JobState.INTERRUPTED);
        }
    }

    @Test
    void shouldTellHowFarItIs() throws Exception {
        Peer.assumeAll(Peer.QEMU_IMG);
        makeSlowToCheck();
        List<Long> dones = new ArrayList<>();
        try (Daemon daemon = start();
                ControlClient client = ControlClient.connect(folder).orElseThrow()) {
            assertThat(daemon.disks()).hasSize(1);
            String id = client.call(DiskCheck.TYPE, new DiskCheck.Request("vm1", null)).id();
            JobView ended =
                    JobFollower.follow(
                            client,
                            id,
                            progress -> {
                                assertThat(progress.done()).isBetween(0L, progress.total());
                                dones.add(progress.done());
                            },
                            message -> {});
            assertThat(ended.state()).isEqualTo(JobState.DONE);
            assertThat(ended.progress().done()).isEqualTo(ended.progress().total()).isPositive();
            // The connection is good for more.
            assertThat(client.call(DiskLs.TYPE, new DiskLs.Request()).disks()).hasSize(1);
        }
        assertThat(dones).isSorted();
        System.out.println("told " + dones.size() + " times: " + dones);
    }

    /** On a brick that takes its time for each read, as soon as the service starts again. */
    private void makeSlowToCheck() throws IOException {
        try (Daemon daemon = start()) {
            assertThat(daemon.disks()).isEmpty();
            Map<String, String> options =
                    Map.of("cluster_size", "512", "preallocation", "metadata");
            call(DiskCreate.TYPE, new DiskCreate.Request("vm1", 2 << 20, options));
        }
        String fast = Files.readString(folder.volfile());
        String slow =
                """
                volume slow
                    type debug/delay-gen
                    option delay-percentage 100%
                    option delay-duration 20ms
                    option enable read
                    subvolumes brick
                end-volume

                volume images
                """;
        assertThat(fast).contains("volume images\n").contains("subvolumes brick\n");
        Files.writeString(
                folder.volfile(),
                fast.replace("subvolumes brick\n", "subvolumes slow\n")
                        .replace("volume images\n", slow));
    }

    private void awaitRunning() throws InterruptedException, ExecutionException {
        CompletableFuture<Void> seen =
                CompletableFuture.runAsync(
                        () -> {
                            while (!info().at("/details/check/state").asText().equals("running")) {
                                Thread.onSpinWait();
                            }
                        },
                        THREADS);
        try {
            seen.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("no check is running: " + info(), e);
        }
    }

    private JsonNode info() {
        return JSON.valueToTree(call(DiskInfo.TYPE, new DiskInfo.Request("vm1")));
    }

    private void make(String options, String size) throws IOException {
        Files.createDirectories(image.getParent());
        Peer.QEMU_IMG
                .command("create", "-q", "-f", "qcow2", "-o", options, image.toString(), size)
                .runOk();
    }

    private Daemon start() {
        return Daemon.start(
                new DaemonOptions(
                        folder, null, List.of(), null, folder.nbdSocket(), 0660, 1, "test"));
    }

    private PeerCommand fio(Daemon daemon) {
        return Peer.FIO.command(
                "--ioengine=nbd",
                "--uri=" + daemon.addresses().uris("vm1").get(0),
                "--bsrange=4k-64k",
                "--size=256m",
                "--iodepth=4",
                "--fsync=8",
                "--time_based",
                "--runtime=150",
                "--name=writer",
                "--rw=randwrite",
                "--name=trimmer",
                "--rw=randtrim");
    }

    /** Operations of clients so far. */
    private long count(String op) {
        JsonNode status = JSON.valueToTree(call(Status.TYPE, new Status.Request()));
        return status.at("/statistics/values/total/" + op + "/count").asLong();
    }

    private PeerProcess attached(Daemon daemon) {
        String uri = daemon.addresses().uris("vm1").get(0);
        PeerProcess client =
                Peer.NBDSH
                        .command(
                                "-u",
                                uri,
                                "-c",
                                "import sys; h.pread(512, 0); print('attached', flush=True);"
                                        + " sys.stdin.read()")
                        .start();
        client.awaitLine(line -> line.strip().equals("attached"), LIMIT);
        return client;
    }

    private static void qemuIo(Daemon daemon, String... commands) {
        List<String> arguments = new ArrayList<>(List.of("-f", "raw"));
        for (String command : commands) {
            arguments.addAll(List.of("-c", command));
        }
        arguments.add(daemon.addresses().uris("vm1").get(0));
        Peer.QEMU_IO.command(arguments.toArray(String[]::new)).runOk();
    }

    private PeerResult qemuCheck() {
        return Peer.QEMU_IMG.command("check", "-f", "qcow2", image.toString()).run();
    }

    private JobView begin(String repair) {
        return call(DiskCheck.TYPE, new DiskCheck.Request("vm1", repair));
    }

    private JobView job(String id) {
        return call(JobShow.TYPE, new JobShow.Request(id));
    }

    private JobView follow(String id) {
        try (ControlClient client = ControlClient.connect(folder).orElseThrow()) {
            return JobFollower.follow(client, id, progress -> {}, findings::add);
        }
    }

    private JsonNode check(String repair) {
        findings.clear();
        JobView ended = follow(begin(repair).id());
        JobFailure failure = ended.failure();
        if (failure != null) {
            throw failure.toException();
        }
        return JSON.valueToTree(ended.result());
    }

    private <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request) {
        try (ControlClient client = ControlClient.connect(folder).orElseThrow()) {
            return client.call(type, request);
        }
    }

    /** Check errors, corruptions, leaks. */
    private static String exitFields(JsonNode result) {
        return result.path("check-errors").asLong(-1)
                + " "
                + result.path("corruptions").asLong(-1)
                + " "
                + result.path("leaks").asLong(-1);
    }

    private long firstFree() throws IOException {
        long cluster = 0;
        while (count(cluster) != 0) {
            cluster++;
        }
        return cluster;
    }

    private int count(long cluster) throws IOException {
        ByteBuffer count = ByteBuffer.allocate(2);
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.READ)) {
            channel.read(count, place(channel, cluster));
        }
        return count.getShort(0);
    }

    /** As if it had been so on disk all the time. */
    private void count(long cluster, int count) throws IOException {
        try (FileChannel channel =
                FileChannel.open(image, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.allocate(2).putShort(0, (short) count);
            channel.write(bytes, place(channel, cluster));
        }
    }

    private static long place(FileChannel channel, long cluster) throws IOException {
        int perBlock = CLUSTER / 2;
        long table = word(channel, 48);
        return word(channel, table + 8 * (cluster / perBlock)) + 2 * (cluster % perBlock);
    }

    private static long word(FileChannel channel, long at) throws IOException {
        ByteBuffer word = ByteBuffer.allocate(8);
        channel.read(word, at);
        return word.getLong(0);
    }

    private void write(long at, byte value) throws IOException {
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {value}), at);
        }
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class,
                        failure -> assertThat(failure.error()).isEqualTo(error))
                .hasMessageContaining(words);
    }
}
