package io.quoin.replicate.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.fault.UnreliableXlator;
import io.quoin.testkit.fault.UnreliableXlator.Behaviour;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.boundary.BoundaryXlator;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Names through crashes and failures. */
class VolumeXlatorTest {
    private static final CreateOptions SMALL = CreateOptions.ofSize(512);

    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final MemoryXlator brick = new MemoryXlator("brick");

    @AfterEach
    void tearDown() {
        loops.close();
    }

    private Xlator volumeAbove(Xlator below) {
        return VolumeContractTest.volume(below, loops);
    }

    private <T> T await(CompletionStage<T> stage) {
        return loops.await(stage);
    }

    private BlockError errorOf(CompletionStage<?> stage) {
        return catchThrowableOfType(BlockException.class, () -> await(stage)).error();
    }

    private List<String> names(Xlator volume) {
        return await(volume.list()).stream().map(FileInfo::fileName).toList();
    }

    /** What is there, behind the back of the volume. */
    private List<UUID> filesOf(MemoryXlator below) {
        return await(new MemoryFiles(below).list());
    }

    /** A crash of the program: what it had open is not. */
    private MemoryXlator afterCrash() {
        return brick.copy();
    }

    @Test
    void shouldKnowTheNamesWhenMountedAnew() {
        Xlator volume = volumeAbove(brick);
        await(volume.create("a", SMALL));
        await(volume.create("b", SMALL));
        await(volume.rename("a", "c"));
        await(volume.remove("b"));
        assertThat(names(volumeAbove(afterCrash()))).containsExactly("c");
        assertThat(filesOf(brick)).hasSize(1);
    }

    /** The last write ends where a crash has left it. */
    @Test
    void shouldHaveTheOldNamesOrTheNewWhenAWriteOfThemIsTorn() {
        Xlator volume = volumeAbove(brick);
        await(volume.create("a", SMALL));
        String catalogue = MemoryFiles.CATALOGUE.toString();
        byte[] before = brick.content(catalogue);
        await(volume.create("b", SMALL));
        byte[] after = brick.content(catalogue);
        int start = Arrays.mismatch(before, after);
        IntStream cut = IntStream.iterate(start, end -> end < after.length, end -> end + 7);
        IntStream last = IntStream.of(after.length - 1, after.length);
        for (int end : IntStream.concat(cut, last).toArray()) {
            byte[] torn = Arrays.copyOf(before, after.length);
            System.arraycopy(after, start, torn, start, end - start);
            MemoryXlator crashed = afterCrash();
            crashed.put(catalogue, torn);
            boolean isWhole = Arrays.equals(torn, after);
            assertThat(names(volumeAbove(crashed)))
                    .isEqualTo(isWhole ? List.of("a", "b") : List.of("a"));
            assertThat(filesOf(crashed)).as("nameless ones are deleted").hasSize(isWhole ? 2 : 1);
        }
    }

    @Test
    void shouldKeepTheFilesWhenTheNamesCannotBeRead() {
        await(volumeAbove(brick).create("a", SMALL));
        MemoryXlator damaged = afterCrash();
        damaged.put(MemoryFiles.CATALOGUE.toString(), new byte[1 << 20]);
        assertThat(errorOf(volumeAbove(damaged).list())).isEqualTo(BlockError.EIO);
        assertThat(filesOf(damaged)).hasSize(1);
    }

    @Test
    void shouldTellNoNameThatItCouldNotWrite() {
        UnreliableXlator child = new UnreliableXlator("child", new BoundaryXlator(brick));
        Xlator volume = volumeAbove(new BoundaryXlator(child));
        await(volume.create("a", SMALL));
        child.behave(Behaviour.GONE);
        assertThat(errorOf(volume.rename("a", "b"))).isEqualTo(BlockError.ENOTCONN);
        child.behave(Behaviour.ANSWERS);
        assertThat(names(volume)).containsExactly("a");
        await(volume.rename("a", "c"));
        assertThat(names(volume)).containsExactly("c");
    }

    @Test
    void shouldRefuseWhenTheNamesDoNotFit() {
        CatalogueSlot full = new CatalogueSlot(1, new TreeMap<>(Map.of("a", UUID.randomUUID())));
        assertThat(CatalogueSlot.decode(full.encode())).isEqualTo(full);
        TreeMap<String, UUID> many = new TreeMap<>();
        for (int i = 0; i < 70_000; i++) {
            many.put("%0230d".formatted(i), new UUID(0, i));
        }
        BlockException failure =
                catchThrowableOfType(
                        BlockException.class, () -> new CatalogueSlot(1, many).encode());
        assertThat(failure.error()).isEqualTo(BlockError.EFBIG);
    }
}
