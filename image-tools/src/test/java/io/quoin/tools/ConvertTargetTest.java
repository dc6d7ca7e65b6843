package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.brick.posix.DurableFile;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.CreateOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Targets of conversions that take the place of a file, and those that must not. */
@Timeout(120)
class ConvertTargetTest {
    private static final String UNFINISHED = ".quoin-new-";

    @TempDir private Path folder;

    @BeforeEach
    void requirePeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
    }

    private void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }

    private void qemuIo(String name, String command) {
        Peer.QEMU_IO.command("-fqcow2", "-c", command, name).directory(folder).runOk();
    }

    private LocalImage image(String name) {
        return new LocalImage(folder.resolve(name), ImageFormat.choose(null, name));
    }

    private void convert(String from, String to, ConvertOptions options) {
        try (ImageSession session = new ImageSession()) {
            new Convert(session, options, (done, total) -> {}).run(image(from), image(to));
        }
    }

    private static ConvertOptions onto(String backing) {
        return ConvertOptions.defaults()
                .withCreateOptions(Map.of("backing_file", backing, "backing_fmt", "qcow2"));
    }

    /** Names and contents. */
    private Map<String, Integer> everything() throws IOException {
        Map<String, Integer> all = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                all.put(
                        String.valueOf(file.getFileName()),
                        java.util.Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return all;
    }

    /** vm1 on mid on base, where base has a data file; and other, alone. */
    private void makeChain() {
        qemuImg("create", "-qfqcow2", "-o", "data_file=base.data", "base.qcow2", "4M");
        qemuImg("create", "-qfqcow2", "-b", "base.qcow2", "-Fqcow2", "mid.qcow2");
        qemuImg("create", "-qfqcow2", "-b", "mid.qcow2", "-Fqcow2", "vm1.qcow2");
        qemuImg("create", "-qfqcow2", "other.qcow2", "4M");
        qemuIo("base.qcow2", "write -P 1 0 3M");
        qemuIo("mid.qcow2", "write -P 2 1M 1M");
        qemuIo("vm1.qcow2", "write -P 3 2M 100k");
    }

    @ParameterizedTest
    @CsvSource({
        "vm1.qcow2, base.qcow2", "vm1.qcow2, mid.qcow2", "vm1.qcow2, link.qcow2",
        "vm1.qcow2, base.data", "mid.qcow2, base.qcow2", "vm1.qcow2, vm1.qcow2",
    })
    void shouldRefuseATargetThatTheSourceStandsOn(String source, String target) throws IOException {
        makeChain();
        Files.createSymbolicLink(folder.resolve("link.qcow2"), folder.resolve("mid.qcow2"));
        Map<String, Integer> before = everything();
        for (ConvertOptions options :
                new ConvertOptions[] {
                    ConvertOptions.defaults(),
                    ConvertOptions.defaults().intoExisting(false),
                    onto("other.qcow2")
                }) {
            assertRefused(() -> convert(source, target, options), "source=");
            assertThat(everything()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @CsvSource({"base.qcow2, base.qcow2", "base.qcow2, mid.qcow2", "mid.qcow2, vm1.qcow2"})
    void shouldRefuseATargetThatItsOwnBackingFileStandsOn(String target, String backing)
            throws IOException {
        makeChain();
        Map<String, Integer> before = everything();
        assertRefused(() -> convert("other.qcow2", target, onto(backing)), "backing file=");
        assertThat(everything()).isEqualTo(before);
    }

    private static void assertRefused(
            org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EINVAL))
                .hasMessageContaining("target=")
                .hasMessageContaining(message);
    }

    @Test
    void shouldReplaceAFileThatNothingOfItStandsOn() {
        makeChain();
        convert("mid.qcow2", "vm1.qcow2", onto("base.qcow2"));
        qemuImg("compare", "mid.qcow2", "vm1.qcow2");
    }

    private PosixFileAttributes attributes(String name) throws IOException {
        return Files.readAttributes(folder.resolve(name), PosixFileAttributes.class);
    }

    private static Set<PosixFilePermission> permissions(String text) {
        return PosixFilePermissions.fromString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-------", "rw-rw----", "rw-r--r--", "rwxrwxrwx"})
    void shouldKeepThePermissionsWhenAFileIsReplaced(String permissions) throws IOException {
        qemuImg("create", "-qfqcow2", "source.qcow2", "4M");
        Path old = Files.writeString(folder.resolve("vm1.qcow2"), "old");
        Files.setPosixFilePermissions(old, permissions(permissions));
        convert("source.qcow2", "vm1.qcow2", ConvertOptions.defaults());
        assertThat(attributes("vm1.qcow2").permissions()).isEqualTo(permissions(permissions));
        ConvertOptions withData =
                ConvertOptions.defaults().withCreateOptions(Map.of("data_file", "vm1.data"));
        convert("source.qcow2", "vm1.qcow2", withData);
        assertThat(attributes("vm1.data").permissions()).isEqualTo(permissions(permissions));
    }

    @Test
    void shouldKeepTheOwnerWhenTheProcessMayGiveFilesAway() throws IOException {
        qemuImg("create", "-qfqcow2", "source.qcow2", "4M");
        Path old = Files.writeString(folder.resolve("vm1.qcow2"), "old");
        try {
            Files.setAttribute(old, "unix:uid", 4711);
            Files.setAttribute(old, "unix:gid", 4712);
        } catch (IOException e) {
            assumeTrue(false, "not privileged: " + e);
        }
        convert("source.qcow2", "vm1.qcow2", ConvertOptions.defaults());
        assertThat(Files.getAttribute(old, "unix:uid")).isEqualTo(4711);
        assertThat(Files.getAttribute(old, "unix:gid")).isEqualTo(4712);
    }

    @Test
    void shouldKeepTheContentFromOthersWhileItIsWritten() throws IOException {
        qemuImg("create", "-qfqcow2", "source.qcow2", "4M");
        qemuIo("source.qcow2", "write -P 1 0 3M");
        Path old = Files.writeString(folder.resolve("vm1.raw"), "old");
        Files.setPosixFilePermissions(old, permissions("rw-r-----"));
        AtomicReference<Set<PosixFilePermission>> meanwhile = new AtomicReference<>();
        FaultyFiles.Fault look =
                FaultyFiles.from(
                        IoOp.WRITE,
                        0,
                        request -> {
                            meanwhile.compareAndSet(null, permissionsOfTheUnfinished());
                            return BlockError.OK;
                        });
        try (ImageSession session =
                FaultyFiles.session(name -> name.startsWith(UNFINISHED), look)) {
            new Convert(session, ConvertOptions.defaults(), (done, total) -> {})
                    .run(image("source.qcow2"), image("vm1.raw"));
        }
        assertThat(meanwhile.get()).isEqualTo(permissions("rw-------"));
        assertThat(attributes("vm1.raw").permissions()).isEqualTo(permissions("rw-r-----"));
    }

    private Set<PosixFilePermission> permissionsOfTheUnfinished() {
        try (Stream<Path> files = Files.list(folder)) {
            return Files.getPosixFilePermissions(
                    files.filter(file -> String.valueOf(file.getFileName()).startsWith(UNFINISHED))
                            .findAny()
                            .orElseThrow());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldKeepTheDataFileWhenTheImageIsInItsPlaceAndTheFolderCannotBeSynced()
            throws IOException {
        Path data = folder.resolve("vm1.data");
        TargetFile.Placing broken =
                (whole, place, placed) -> {
                    DurableFile.replace(whole, place, placed);
                    throw new BlockException(BlockError.EIO, "fault of the test");
                };
        try (TargetFile file = new TargetFile(image("vm1.qcow2"), broken)) {
            file.withDataFile("vm1.data");
            Files.writeString(file.unfinished().path(), "image");
            Files.writeString(data, "data");
            assertThatThrownBy(file::publish)
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("in its place, but may not survive a power failure")
                    .hasMessageContaining("fault of the test");
        }
        assertThat(folder.resolve("vm1.qcow2")).hasContent("image");
        assertThat(data).hasContent("data");
    }

    @Test
    void shouldLeaveFilesAloneThatAnotherProcessHasInTheMaking() throws IOException {
        qemuImg("create", "-qfqcow2", "source.qcow2", "4M");
        // What another container's process of the same number could have there.
        long pid = ProcessHandle.current().pid();
        for (int i = 0; i < 100; i++) {
            Files.writeString(folder.resolve(UNFINISHED + pid + "-" + i), "theirs");
            Files.writeString(folder.resolve(UNFINISHED + pid + "-target-" + i), "theirs");
        }
        Map<String, Integer> before = everything();
        convert("source.qcow2", "vm1.raw", ConvertOptions.defaults());
        assertThat(everything()).containsAllEntriesOf(before).hasSize(before.size() + 1);
    }

    @Test
    void shouldRefuseTheTargetAsItsOwnDataFile() throws IOException {
        qemuImg("create", "-qfqcow2", "source.qcow2", "4M");
        LocalImage target = new LocalImage(folder.resolve("vm1.data"), ImageFormat.QCOW2);
        ConvertOptions options =
                ConvertOptions.defaults().withCreateOptions(Map.of("data_file", "vm1.data"));
        assertThatThrownBy(
                        () -> {
                            try (ImageSession session = new ImageSession()) {
                                new Convert(session, options, (done, total) -> {})
                                        .run(image("source.qcow2"), target);
                            }
                        })
                .isInstanceOf(BlockException.class);
        assertThat(everything()).containsOnlyKeys("source.qcow2");
    }

    @ParameterizedTest
    @CsvSource({"65536, 4M", "65536, 5000k", "65536, 512", "2097152, 5M", "512, 100k"})
    void shouldCompressUpToTheLastWholeClusterWhenTheTargetIsLarger(
            String clusterSize, String sourceSize) {
        String clusters = "cluster_size=" + clusterSize;
        qemuImg("create", "-qfqcow2", "source.qcow2", sourceSize);
        qemuImg("create", "-qfqcow2", "-o", clusters, "target.qcow2", "8M");
        qemuIo("source.qcow2", "write -P 1 0 " + sourceSize);
        qemuIo("target.qcow2", "write -P 2 0 8M");
        qemuImg("convert", "-Oraw", "target.qcow2", "expected.raw");
        qemuImg("convert", "-n", "-Oraw", "source.qcow2", "expected.raw");
        qemuImg("resize", "-q", "-fraw", "expected.raw", "8M");
        qemuImg("create", "-qfqcow2", "-o", clusters, "empty.qcow2", "8M");
        ConvertOptions options = ConvertOptions.defaults().withCompression().intoExisting(false);
        convert("source.qcow2", "target.qcow2", options);
        convert("source.qcow2", "empty.qcow2", options);
        qemuImg("compare", "-fqcow2", "-Fraw", "target.qcow2", "expected.raw");
        qemuImg("compare", "source.qcow2", "empty.qcow2");
        qemuImg("check", "-q", "target.qcow2");
        qemuImg("check", "-q", "empty.qcow2");
    }

    @Test
    void shouldReadTheFileWhenItIsCalledAsASnapshot() throws IOException {
        qemuImg("create", "-qfqcow2", "vm.qcow2", "1M");
        qemuIo("vm.qcow2", "write -q -P 1 0 64k");
        qemuImg("snapshot", "-c", "snap", "vm.qcow2");
        Files.copy(folder.resolve("vm.qcow2"), folder.resolve("other"));
        qemuIo("other", "write -q -P 2 0 64k");
        Files.move(folder.resolve("other"), folder.resolve("vm.qcow2@snap"));
        LocalImage file = new LocalImage(folder.resolve("vm.qcow2@snap"), ImageFormat.QCOW2);
        convert(file, "file.raw");
        assertThat(Files.readAllBytes(folder.resolve("file.raw"))[0]).isEqualTo((byte) 2);

        // The snapshot has no name of its own then.
        LocalImage snapshot = image("vm.qcow2").at("snap");
        assertThatThrownBy(() -> convert(snapshot, "snapshot.raw"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("file=vm.qcow2@snap; rename the file");
        Files.delete(folder.resolve("vm.qcow2@snap"));
        convert(snapshot, "snapshot.raw");
        assertThat(Files.readAllBytes(folder.resolve("snapshot.raw"))[0]).isEqualTo((byte) 1);
    }

    private void convert(LocalImage from, String to) {
        try (ImageSession session = new ImageSession()) {
            new Convert(session, ConvertOptions.defaults(), (done, total) -> {})
                    .run(from, image(to));
        }
    }

    @Test
    void shouldLeaveFilesAloneThatLookLikeUnfinishedOnes() throws IOException {
        qemuImg("create", "-qfqcow2", "source.qcow2", "1M");
        for (String name : new String[] {".vm1.qcow2.new", "vm1.qcow2.new", ".quoin-new-1-x"}) {
            Files.writeString(folder.resolve(name), "precious");
        }
        Map<String, Integer> before = everything();
        try (ImageSession session = new ImageSession()) {
            new Create(session).run(image("vm1.qcow2"), CreateOptions.ofSize(1 << 20));
        }
        convert("source.qcow2", "vm1.qcow2", ConvertOptions.defaults());
        assertThat(everything()).containsAllEntriesOf(before).hasSize(before.size() + 1);
    }
}
