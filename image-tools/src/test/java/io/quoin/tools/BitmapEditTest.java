package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.testkit.peer.Peer;
import io.quoin.tools.BitmapEdit.Action;
import io.quoin.tools.BitmapEdit.Verb;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Changes of bitmaps that fail. */
@Timeout(60)
class BitmapEditTest {
    @TempDir private Path folder;

    @Test
    void shouldTellTheFirstErrorWhenTheCloseAfterItFailsToo() {
        Peer.QEMU_IMG.assumeAvailable();
        Path path = folder.resolve("disk.qcow2");
        Peer.QEMU_IMG.command("create", "-qfqcow2", path.toString(), "1M").runOk();
        // The header is written twice before the first change, its end and its start; the others
        // follow when the image is closed.
        FaultyFiles.Fault fault = FaultyFiles.from(IoOp.WRITE, 2, request -> BlockError.ENOSPC);
        BlockException failure;
        ImageSession session = FaultyFiles.session("disk.qcow2"::equals, fault);
        try (session) {
            LocalImage image = new LocalImage(path, ImageFormat.QCOW2);
            List<Action> twice = List.of(new Action(Verb.ADD, null), new Action(Verb.ADD, null));
            failure =
                    catchThrowableOfType(
                            BlockException.class,
                            () -> new BitmapEdit(session).run(image, "b", twice, 0, null));
        }
        assertThat(failure).hasMessageContaining("exists");
        assertThat(failure.getSuppressed()[0]).hasMessageContaining("close of disk.qcow2");
    }
}
