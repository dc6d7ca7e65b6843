package io.quoin.tools.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class ByteSizeTest {
    @ParameterizedTest
    @CsvSource({
        "10G,10737418240",
        "512M,536870912",
        "1.5T,1649267441664",
        "64KiB,65536",
        "64kb,65536",
        "4096,4096",
        "4096B,4096",
        "0.5K,512",
        "0,0",
        "9223372036854775807,9223372036854775807",
        "7E,8070450532247928832"
    })
    void shouldReadSizesAsPeopleWriteThem(String text, long expected) {
        assertThat(ByteSize.parse(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "G",
                "-1",
                "1.",
                ".5G",
                "1,5G",
                "10X",
                "1e3",
                "0x10",
                "8E",
                "0.3",
                "1.0000001K",
                "99999999999999999999",
                "10 G G"
            })
    void shouldNameTheValueWhenItIsNoSize(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("value=" + text)
                .hasMessageContaining("expected=");
    }

    @ParameterizedTest
    @CsvSource({
        "0,0 B",
        "1023,1023 B",
        "1024,1 KiB",
        "1536,1.5 KiB",
        "10737418240,10 GiB",
        "1649267441664,1.5 TiB",
        "107374182400,100 GiB",
        "9223372036854775807,8 EiB"
    })
    void shouldShowSizesInAUnit(long bytes, String expected) {
        assertThat(ByteSize.human(bytes)).isEqualTo(expected);
    }
}
