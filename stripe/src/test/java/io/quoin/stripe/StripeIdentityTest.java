package io.quoin.stripe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.boundary.BoundaryXlator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Parts that are not where they belong, or not there, are found when a file is opened. */
@Timeout(60)
class StripeIdentityTest {
    private final VirtualLoopGroup group = new VirtualLoopGroup(1);
    private final List<MemoryXlator> bricks =
            List.of(
                    new MemoryXlator("brick0"),
                    new MemoryXlator("brick1"),
                    new MemoryXlator("brick2"));

    private Xlator over(int... order) {
        List<Xlator> children = new ArrayList<>();
        for (int brick : order) {
            children.add(new BoundaryXlator(bricks.get(brick)));
        }
        return new BoundaryXlator(new StripeXlator("stripe", children, 4096, group));
    }

    private void create(String name) {
        group.await(over(0, 1, 2).create(name, CreateOptions.ofSize(100_000)));
    }

    private XlatorFile open(Xlator xlator, String name) {
        return group.await(xlator.open(name, OpenOptions.READ_WRITE, group.loop(0)));
    }

    @Test
    void shouldSayWhichPartIsWhereWhenChildrenAreSwapped() {
        create("a");
        assertThatThrownBy(() -> open(over(0, 2, 1), "a"))
                .hasMessageContaining("brick2")
                .hasMessageContaining("expected=part 1 of 3, actual=part 2 of 3");
    }

    @Test
    void shouldRefuseWhenAChildIsLeftOut() {
        create("a");
        assertThatThrownBy(() -> open(over(0, 1), "a"))
                .hasMessageContaining("expected=part 0 of 2, actual=part 0 of 3");
    }

    @Test
    void shouldNameTheChildWhenItsPartIsMissing() {
        create("a");
        group.await(bricks.get(2).remove("a"));
        assertThatThrownBy(() -> open(over(0, 1, 2), "a"))
                .hasMessageContaining("missing")
                .hasMessageContaining("brick2")
                .hasFieldOrPropertyWithValue("error", BlockError.EIO);
    }

    /** As where its folder is not mounted: what the others have must stay, and be seen. */
    @Test
    void shouldRemoveNothingWhenTheFirstChildIsEmpty() {
        create("a");
        group.await(bricks.get(0).remove("a"));
        Xlator xlator = over(0, 1, 2);
        assertThat(group.await(xlator.list())).hasSize(1);
        assertThatThrownBy(() -> open(xlator, "a")).hasMessageContaining("brick0");
        assertThatThrownBy(() -> group.await(xlator.create("a", CreateOptions.ofSize(1))))
                .hasFieldOrPropertyWithValue("error", BlockError.EEXIST);
        assertThat(group.await(bricks.get(1).list())).hasSize(1);
        assertThat(group.await(bricks.get(2).list())).hasSize(1);
    }

    @Test
    void shouldRefuseThePartOfAnotherFile() {
        create("a");
        create("b");
        group.await(bricks.get(1).replace("a", "b"));
        // Not what an interrupted change leaves: both files are still there.
        assertThatThrownBy(() -> open(over(0, 1, 2), "a"))
                .hasMessageContaining("brick1")
                .hasMessageContaining("not the part that belongs here");
    }

    @Test
    void shouldRefuseWhenAHeaderIsDamaged() {
        create("a");
        byte[] content = bricks.get(1).content("a");
        content[40] ^= 1;
        bricks.get(1).put("a", content);
        assertThatThrownBy(() -> open(over(0, 1, 2), "a"))
                .hasMessageContaining("brick1")
                .hasMessageContaining("checksum");
    }

    /** The size is where the last byte lies, though most parts are shorter than their share. */
    @Test
    void shouldReadZerosWhereAPartIsShortWhenTheFileHasGrown() {
        group.await(over(0, 1, 2).create("a", CreateOptions.ofSize(0)));
        XlatorFile file = open(over(0, 1, 2), "a");
        FileDriver driver = new FileDriver(file, group.loop(0));
        byte[] data = {1, 2, 3};
        driver.write(10 * 4096, data);
        assertThat(file.geometry().sizeBytes()).isEqualTo(10 * 4096 + 3);
        assertThat(bricks.get(0).content("a")).hasSize((int) PartHeaderLayout.DATA_OFFSET);
        byte[] expected = new byte[10 * 4096 + 3];
        System.arraycopy(data, 0, expected, 10 * 4096, 3);
        assertThat(driver.read(0, expected.length)).isEqualTo(expected);
        group.await(group.loop(0).call(file::close));
        assertThat(group.await(over(0, 1, 2).stat("a")).sizeBytes()).isEqualTo(10 * 4096 + 3);
    }
}
