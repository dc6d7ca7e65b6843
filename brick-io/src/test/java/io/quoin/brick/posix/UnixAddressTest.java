package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class UnixAddressTest {
    @Test
    void shouldEndAPathWithAZeroAndBeginAnAbstractNameWithOne() {
        byte[] path = UnixAddress.encode("/run/a");
        assertThat(text(path)).isEqualTo("/run/a\0");
        assertThat(UnixAddress.path(path, path.length)).isEqualTo("/run/a");

        byte[] hidden = UnixAddress.encode("@quoin");
        assertThat(text(hidden)).isEqualTo("\0quoin");
        assertThatThrownBy(() -> UnixAddress.path(hidden, hidden.length))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("has no path");
    }

    @Test
    void shouldReadThePathOfAnAddressOfTheKernel() {
        byte[] full = Arrays.copyOf(UnixAddress.encode("/run/a"), UnixAddress.BYTES_MAX);
        assertThat(UnixAddress.path(full, full.length)).isEqualTo("/run/a");
        assertThat(UnixAddress.path(full, Short.BYTES + 3)).isEqualTo("/ru");
        assertThatThrownBy(() -> UnixAddress.path(full, Short.BYTES))
                .isInstanceOf(BlockException.class);
    }

    @Test
    void shouldRefuseWhatNoSocketCanBeCalled() {
        assertThat(UnixAddress.encode("/" + "a".repeat(106))).hasSize(UnixAddress.BYTES_MAX);
        for (String name : new String[] {"", "/" + "a".repeat(107)}) {
            assertThatThrownBy(() -> UnixAddress.encode(name))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("expected=1 to 107 bytes");
        }
    }

    private static String text(byte[] address) {
        return new String(
                address, Short.BYTES, address.length - Short.BYTES, StandardCharsets.UTF_8);
    }
}
