package io.quoin.management.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class ListenAddressTest {
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:10809", "[::1]:0", "localhost:65535", "0.0.0.0:1"})
    void shouldPrintWhatItRead(String text) {
        assertThat(ListenAddress.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "10809", ":10809", "host", "host:", "host:65536", "::1:10809", "a b:1"})
    void shouldSayWhatIsExpectedWhenItIsNoAddress(String text) {
        assertThatThrownBy(() -> ListenAddress.parse(text))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("HOST:PORT");
    }
}
