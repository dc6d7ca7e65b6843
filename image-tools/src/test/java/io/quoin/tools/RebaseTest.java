package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that get a backing file where nothing lay behind them. */
@Timeout(60)
class RebaseTest {
    private static final int SIZE = 3_000_320;

    @TempDir private Path folder;

    private void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }

    @ParameterizedTest
    @DisplayName("QCOW2 45, 136: zeros stay zeros when a backing file comes to lie behind them")
    @ValueSource(
            strings = {
                "compat=0.10",
                "compat=1.1",
                "cluster_size=512",
                "extended_l2=on",
                "lazy_refcounts=on",
                "data_file=top.data"
            })
    void shouldKeepZerosWhenAnImageGetsABackingFile(String options) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        qemuImg("create", "-qfqcow2", "-o", options, "top.qcow2", "" + SIZE);
        Peer.QEMU_IO
                .command(
                        "-fqcow2", "-c", "write -P 5 100k 70k", "-c", "write -z 1M 4k", "top.qcow2")
                .directory(folder)
                .runOk();
        qemuImg("convert", "-fqcow2", "-Oraw", "top.qcow2", "before.raw");
        byte[] base = new byte[SIZE * 2 / 3];
        new Random(SIZE).nextBytes(base);
        Files.write(folder.resolve("base.raw"), base);
        try (ImageSession session = new ImageSession(1)) {
            LocalImage top = new LocalImage(folder.resolve("top.qcow2"), ImageFormat.QCOW2);
            new Rebase(session, (done, total) -> {}).safe(top, "base.raw", ImageFormat.RAW);
        }
        qemuImg("check", "-q", "top.qcow2");
        qemuImg("convert", "-fqcow2", "-Oraw", "top.qcow2", "after.raw");
        assertThat(Files.mismatch(folder.resolve("after.raw"), folder.resolve("before.raw")))
                .isEqualTo(-1);
    }
}
