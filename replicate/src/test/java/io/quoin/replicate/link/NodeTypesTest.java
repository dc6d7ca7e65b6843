package io.quoin.replicate.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.replicate.volume.ReplicateType;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.XlatorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeTypesTest {
    @Test
    void shouldBeFoundByVolfiles() {
        assertThat(ServiceLoader.load(XlatorType.class))
                .extracting(XlatorType::type)
                .contains("protocol/local", "protocol/client", "cluster/replicate");
    }

    @ParameterizedTest
    @CsvSource({"local", "client", "replicate"})
    void shouldSayInTheDocumentationWhatTheTableSays(String name) throws IOException {
        XlatorType type =
                switch (name) {
                    case "local" -> new LocalType();
                    case "client" -> new ClientType();
                    default -> new ReplicateType();
                };
        Path page = Path.of(System.getProperty("quoin.root"), "docs/xlators/" + name + ".md");
        List<String> rows =
                Files.readAllLines(page).stream()
                        .takeWhile(line -> !line.startsWith("## "))
                        .dropWhile(line -> !line.startsWith("| option |"))
                        .skip(2)
                        .takeWhile(line -> line.startsWith("| "))
                        .toList();
        assertThat(rows)
                .isEqualTo(type.options().options().stream().map(NodeTypesTest::row).toList());
    }

    private static String row(Option option) {
        String value = option.defaultValue();
        return "| "
                + String.join(
                        " | ",
                        option.name(),
                        option.type().name().toLowerCase(Locale.ROOT),
                        value == null ? "required" : value,
                        option.description())
                + " |";
    }
}
