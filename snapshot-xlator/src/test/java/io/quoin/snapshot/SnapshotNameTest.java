package io.quoin.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class SnapshotNameTest {
    @Test
    void shouldEndTheDiskAtTheFirstAt() {
        SnapshotName name = SnapshotName.of("vm1@a@b");
        assertThat(name).isEqualTo(new SnapshotName("vm1", "a@b")).hasToString("vm1@a@b");
        assertThat(name.fileName()).isEqualTo("vm1.qcow2@a@b");
    }

    @Test
    void shouldTellSnapshotsFromDisks() {
        assertThat(SnapshotName.isOne("vm1@monday")).isTrue();
        assertThat(SnapshotName.isOne("@")).isTrue();
        assertThat(SnapshotName.isOne("vm1.monday")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vm1",
                "vm1@",
                "@monday",
                ".vm1@monday",
                "a/b@monday",
                "vm1@a/b",
                "vm1@a\u0000",
                "@"
            })
    void shouldRefuseWhatIsNoSnapshotOfADisk(String name) {
        assertThatThrownBy(() -> SnapshotName.of(name))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("illegal");
        assertThat(SnapshotName.isLegal(name)).isFalse();
    }

    @Test
    void shouldBeAsLongAsTheNameOfAFile() {
        String longest = "\u00e4".repeat(122) + "a";
        assertThat(SnapshotName.of("vm1@" + longest).fileName().getBytes(UTF_8)).hasSize(255);
        assertThat(SnapshotName.isLegal("vm1@" + longest)).isTrue();
        assertThat(SnapshotName.isLegal("vm1@" + longest + "a")).isFalse();
    }
}
