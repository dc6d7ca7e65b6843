package io.quoin.xlator.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class OptionValuesTest {
    private static OptionValues of(Option.Type type, String value) {
        return new OptionValues(
                OptionTable.of(Option.required("x", type, "A value.")), Map.of("x", value));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "512, 512",
        "64K, 65536",
        "64k, 65536",
        "10GB, 10737418240",
        "1MiB, 1048576",
        "2T, 2199023255552"
    })
    void shouldScaleSizesWhenTheyHaveAUnit(String text, long expected) {
        assertThat(of(Option.Type.SIZE, text).sizeBytes("x")).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"500us, 500000", "20ms, 20000000", "10s, 10000000000", "1ns, 1"})
    void shouldScaleDurationsWhenTheyHaveAUnit(String text, long expected) {
        assertThat(of(Option.Type.DURATION, text).durationNanos("x")).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"10, 0.1, 10", "10%, 0.1, 10", "0.5%, 0.005, 1", "100, 1, 100", "29 %, 0.29, 29"})
    void shouldTakeFractionsWhenPercentagesHaveThem(String text, double fraction, int percent) {
        OptionValues values = of(Option.Type.PERCENT, text);
        assertThat(values.fraction("x")).isEqualTo(fraction);
        assertThat(values.percent("x")).isEqualTo(percent);
    }

    @ParameterizedTest
    @CsvSource({
        "SIZE, 9999999P",
        "SIZE, -1",
        "SIZE, ten",
        "DURATION, 10",
        "DURATION, 10y",
        "PERCENT, 101",
        "PERCENT, 5K",
        "BOOLEAN, maybe",
        "INTEGER, 1.5"
    })
    void shouldNameTheOptionWhenItsValueIsWrong(Option.Type type, String text) {
        assertThatThrownBy(() -> of(type, text))
                .hasMessageStartingWith("option has a wrong value: name=x, expected=")
                .hasMessageEndingWith("actual=" + text);
    }

    @Test
    void shouldSuggestTheNearestWhenAnOptionIsUnknown() {
        OptionTable table =
                OptionTable.of(Option.of("cache-size", Option.Type.SIZE, "1M", "A size."));
        assertThatThrownBy(() -> new OptionValues(table, Map.of("cach-size", "1")))
                .hasMessage(
                        "unknown option: name=cach-size, expected=one of cache-size; did you mean"
                                + " cache-size?");
    }
}
