package io.quoin.qcow2.refcount;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file that has more clusters than one walk can look at. */
@Timeout(120)
class ReclaimWindowsTest {
    private static final String NAME = "disk.qcow2";
    private static final int SIZE = 1 << 20;

    @TempDir Path folder;

    @AfterEach
    void restore() {
        LeakReclaim.windowClusters = SeenReferences.CLUSTERS_MAX;
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 64, 1000})
    void shouldLowerAllCountsWhenTheFileHasSeveralWindows(int windowClusters) throws IOException {
        ImageFixture images = make("write -P 1 0 600k", "write -P 2 800k 100k");
        ModelDisk model = new ModelDisk(images.qemuContent(NAME));
        LeakReclaim.windowClusters = windowClusters;
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        RandomOperations operations =
                new RandomOperations(
                        RandomOperations.seed(), file.geometry(), file.capabilities(), 20_000);
        CompletionStage<Void> deleting = delete(images, file);
        model.performAll(images.driver(file), operations.next(30), 4);
        images.loops.await(deleting);
        images.close(file);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(model.content(0, SIZE));
    }

    @Test
    void shouldSetCopiedOfClustersWhoseTableIsInALaterWindow() throws IOException {
        ImageFixture images = make("write -P 1 0 128k");
        // The copies that the head has of its tables lie behind the data, and get a snapshot too.
        String path = images.export(NAME) + "";
        Peer.QEMU_IO
                .command(
                        "-c",
                        "write -P 3 0 512",
                        "-c",
                        "write -P 3 32k 512",
                        "-c",
                        "write 64k 512",
                        path)
                .runOk();
        Peer.QEMU_IMG.command("snapshot", "-d", "one", path).runOk();
        Peer.QEMU_IMG.command("snapshot", "-c", "one", path).runOk();
        images.brick.put(NAME, Files.readAllBytes(Path.of(path)));
        byte[] content = images.qemuContent(NAME);
        LeakReclaim.windowClusters = 8;
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(delete(images, file));
        images.close(file);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(content);
    }

    private static CompletionStage<Void> delete(ImageFixture images, XlatorFile file) {
        SnapshotControl control = SnapshotControl.of(file).orElseThrow();
        return images.loops.loop(0).call(() -> control.delete("one", (done, total) -> true));
    }

    /** With a snapshot of what was written. */
    private ImageFixture make(String... writes) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        String path = folder.resolve(NAME) + "";
        Peer.QEMU_IMG
                .command("create", "-q", "-f", "qcow2", "-o", "cluster_size=512", path, SIZE + "")
                .runOk();
        for (String write : writes) {
            Peer.QEMU_IO.command("-c", write, path).runOk();
        }
        Peer.QEMU_IMG.command("snapshot", "-c", "one", path).runOk();
        ImageFixture images = new ImageFixture(folder);
        images.brick.put(NAME, Files.readAllBytes(Path.of(path)));
        return images;
    }
}
