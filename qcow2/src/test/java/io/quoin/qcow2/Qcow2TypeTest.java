package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.XlatorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The type's option table and its page. */
@Timeout(30)
class Qcow2TypeTest {
    @Test
    void shouldBeFoundByItsName() {
        assertThat(ServiceLoader.load(XlatorType.class))
                .extracting(XlatorType::type)
                .contains(Qcow2Type.TYPE);
    }

    @Test
    void shouldSayInTheDocumentationWhatTheTableSays() throws IOException {
        Path page = Path.of(System.getProperty("quoin.root"), "docs/xlators/qcow2.md");
        List<String> rows =
                Files.readAllLines(page).stream()
                        .takeWhile(line -> !line.startsWith("## "))
                        .filter(line -> line.startsWith("| ") && !line.startsWith("| option |"))
                        .toList();
        List<String> expected =
                new Qcow2Type().options().options().stream().map(Qcow2TypeTest::row).toList();
        assertThat(rows).isEqualTo(expected);
    }

    private static String row(Option option) {
        String value = option.defaultValue() == null ? "(required)" : option.defaultValue();
        String type =
                option.choices().isEmpty()
                        ? option.type().name().toLowerCase(Locale.ROOT)
                        : String.join(", ", option.choices());
        return "| " + String.join(" | ", option.name(), type, value, option.description()) + " |";
    }
}
