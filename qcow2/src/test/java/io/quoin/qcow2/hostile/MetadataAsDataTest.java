package io.quoin.qcow2.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Entries without COPIED that say that a guest's data are where the image has metadata. */
@Timeout(60)
@LogsErrors("image is corrupt")
class MetadataAsDataTest {
    private static final String NAME = "disk.qcow2";

    /** Where the list of header extensions ends, and the mark of possible leaks is put. */
    private static final int EXTENSIONS_END = 112;

    private static final byte[] LEAK_MARK = {'Q', 'L', 'K', 'S'};

    @TempDir Path folder;

    static Stream<Arguments> targets() {
        return Stream.of(
                target("L1", SmallImage::plain, SmallImage::l1),
                target("L2", SmallImage::plain, SmallImage::l2),
                target("refcount table", SmallImage::plain, SmallImage::refcountTable),
                target("refcount block", SmallImage::plain, SmallImage::refcountBlock),
                target("snapshot table", SmallImage::withSnapshot, SmallImage::snapshotTable),
                target("snapshot's L1", SmallImage::withSnapshot, SmallImage::snapshotL1),
                target("L1, extended L2", SmallImage::extendedL2, SmallImage::l1),
                target("L1, zeros", SmallImage::plain, i -> i.l1() | L2Entry.ZERO));
    }

    private static Arguments target(
            String name, Supplier<SmallImage> image, ToLongFunction<SmallImage> entry) {
        return Arguments.of(name, image, entry);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("targets")
    @DisplayName("QCOW2 62: metadata that an entry calls data are not given back by a write")
    void shouldKeepMetadataWhenAWriteReplacesAnEntryThatPointsThere(
            String name, Supplier<SmallImage> made, ToLongFunction<SmallImage> entry) {
        SmallImage image = made.get();
        image.putLong(image.entry(1), entry.applyAsLong(image));
        byte[] before = image.toArray();
        ImageFixture images = new ImageFixture(folder);
        images.brick.put(NAME, before);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        BlockError error = driver.write(image.cluster(1) + 512, new byte[512], IoFlags.NONE);
        driver.flush();
        close(images, file);
        byte[] after = images.brick.content(NAME);
        byte[] expected = before.clone();
        expected[SmallImage.INCOMPATIBLE + 7] |= 2;
        System.arraycopy(LEAK_MARK, 0, expected, EXTENSIONS_END, LEAK_MARK.length);
        assertThat(Arrays.mismatch(expected, after)).as("first wrong byte").isEqualTo(-1);
        assertThat(error).isEqualTo(BlockError.EIO);
    }

    /** It ends in the image's error. */
    private static void close(ImageFixture images, XlatorFile file) {
        try {
            images.close(file);
        } catch (BlockException e) {
            assertThat(e.error()).isEqualTo(BlockError.EIO);
        }
        images.loops.runReady();
    }
}
