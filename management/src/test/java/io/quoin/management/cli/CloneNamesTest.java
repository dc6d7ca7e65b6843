package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CloneNamesTest {
    @Test
    void shouldCountInPlainDigitsWhateverTheLocale() {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            assertThat(CloneNames.of("vm-%04d", 9, 3))
                    .containsExactly("vm-0009", "vm-0010", "vm-0011");
            assertThat(CloneNames.of("%d.web", 0, 2)).containsExactly("0.web", "1.web");
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "vm-%04d,true",
        "%d,true",
        "vm,false",
        "vm%s,false",
        "vm-%d-%d,false",
        "vm-%4d,false",
        "vm%%d,false",
        "%-d,false",
        "%d%,false"
    })
    void shouldTakeOneNumberAndNothingElseOfAFormat(String pattern, boolean expected) {
        assertThat(CloneNames.isPattern(pattern)).isEqualTo(expected);
    }
}
