package io.quoin.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SnapshotRangeTest {
    @Test
    void shouldFindBothSnapshotsInAName() {
        SnapshotRange range = SnapshotRange.of("v..1@mon.day@x..2");
        assertThat(range.older()).isEqualTo(new SnapshotName("v..1", "mon.day@x"));
        assertThat(range.newer()).isEqualTo(new SnapshotName("v..1", "2"));
        assertThat(range).hasToString("v..1@mon.day@x..2");
        assertThat(range.names("v..1", "2")).isTrue();
        assertThat(range.names("v..1", "mon.day@x")).isTrue();
        assertThat(range.names("v..1", "3")).isFalse();
        assertThat(range.names("vm1", "2")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"vm1", "v..1", "vm1@a", "v..1@a", "vm1@a.b", "..", ""})
    void shouldLeaveNamesOfDisksAndSnapshotsAlone(String name) {
        assertThat(SnapshotRange.isOne(name)).isFalse();
        assertThat(SnapshotRange.isLegal(name)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vm1@a..",
                "vm1@..b",
                "vm1@..",
                "vm1@a..b..c",
                "@a..b",
                "vm1@a..b/c",
                "-@a..b"
            })
    void shouldRefuseWhatNamesNoTwoSnapshots(String name) {
        assertThat(SnapshotRange.isOne(name)).isTrue();
        assertThat(SnapshotRange.isLegal(name)).isFalse();
        assertThatThrownBy(() -> SnapshotRange.of(name))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("expected=DISK@OLDER..NEWER");
    }
}
