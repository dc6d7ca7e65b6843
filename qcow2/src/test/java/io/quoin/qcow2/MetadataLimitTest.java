package io.quoin.qcow2;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.testkit.FileDriver;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images with so many tables that no more could be kept track of. */
@Timeout(120)
class MetadataLimitTest {
    private static final String NAME = "disk.qcow2";

    /** The longest L1 table: 4096 groups of 16 clusters of 512 bytes. */
    private static final int L1_BYTES = 1 << 25;

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    /** An image with {@code count} snapshots, the L1 tables of which are holes of the file. */
    private void make(int count) {
        images.create(NAME, 1 << 20, Map.of("cluster_size", "512"));
        byte[] content = images.brick.content(NAME);
        ByteBuffer bytes = ByteBuffer.wrap(Arrays.copyOf(content, content.length + 64 * count));
        bytes.putInt(60, count).putLong(64, content.length);
        for (int i = 0; i < count; i++) {
            int at = content.length + 64 * i;
            bytes.putLong(at, (i + 1L) * L1_BYTES).putInt(at + 8, L1_BYTES / 8);
            bytes.putShort(at + 12, (short) 1).putShort(at + 14, (short) 4).putInt(at + 36, 16);
            bytes.putLong(at + 48, 1 << 20).put(at + 56, "1snap".getBytes(US_ASCII));
        }
        images.brick.put(NAME, bytes.array());
        XlatorFile raw =
                images.loops.await(
                        images.brick.open(NAME, OpenOptions.READ_WRITE, images.loops.loop(0)));
        images.loops.await(images.loops.loop(0).call(() -> raw.resize((count + 1L) * L1_BYTES)));
        images.close(raw);
    }

    @Test
    @DisplayName("QCOW2 148: many long L1 tables of snapshots in holes are refused, not entered")
    void shouldRefuseWhenTablesOfSnapshotsWouldTakeTooMuchMemory() {
        make(3200);
        assertThatThrownBy(() -> images.open(NAME, OpenMode.READ_WRITE))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("more metadata than are kept track of");
        images.close(images.open(NAME, OpenMode.READ_ONLY));
    }

    @ParameterizedTest
    @CsvSource({"490, OK", "505, ENOSPC"})
    @DisplayName("QCOW2 148: an image never gets more tables than it can be opened with")
    void shouldAllocateNothingMoreWhenItCouldNotBeOpenedAgain(int count, BlockError expected) {
        make(count);
        for (int i = 0; i < 2; i++) {
            XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
            FileDriver driver = images.driver(file);
            byte[] bytes = {1, 2, 3};
            assertThat(driver.write(700_000 + i * 100_000, bytes, IoFlags.NONE))
                    .isEqualTo(expected);
            assertThat(driver.read(700_000 + i * 100_000, 3))
                    .isEqualTo(expected.isOk() ? bytes : new byte[3]);
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
            images.close(file);
        }
    }
}
