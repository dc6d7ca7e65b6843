package io.quoin.xlator;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrashNameTest {
    @Test
    void shouldTellWhatItWasCalledAndWhenItWasRemoved() {
        TrashName name = TrashName.of("vm1.qcow2", Instant.ofEpochSecond(1_764_691_200));
        assertThat(name.toString()).matches("vm1\\.qcow2\\.trash-1764691200-[0-9a-f]{8}");
        assertThat(TrashName.parse(name.toString())).contains(name);
        assertThat(TrashName.fileNameOf(name.toString())).isEqualTo("vm1.qcow2");
        assertThat(TrashName.text(name.toString())).isEqualTo("vm1.qcow2 (in the trash)");
    }

    @Test
    void shouldGiveEachAnIdOfItsOwn() {
        assertThat(TrashName.of("a", Instant.EPOCH)).isNotEqualTo(TrashName.of("a", Instant.EPOCH));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vm1.qcow2",
                ".trash-1-0123abcd",
                "vm1.qcow2.trash-1",
                "vm1.qcow2.trash-1-0123abcde",
                "vm1.qcow2.trash-1-0123ABCD",
                "vm1.qcow2.trash--0123abcd",
                "vm1.trash-1-0123abcd.qcow2"
            })
    void shouldTakeNoOtherFileForOneInTheTrash(String name) {
        assertThat(TrashName.parse(name)).isEmpty();
        assertThat(TrashName.fileNameOf(name)).isEqualTo(name);
        assertThat(TrashName.text(name)).isEqualTo(name);
    }
}
