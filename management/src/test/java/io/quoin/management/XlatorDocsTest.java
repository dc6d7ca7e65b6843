package io.quoin.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.graph.XlatorTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every xlator has a page, and the page has the option table of its type, word for word. */
@Timeout(60)
class XlatorDocsTest {
    private static final Path FOLDER = Path.of(System.getProperty("quoin.root"), "docs", "xlators");

    static List<XlatorType> types() {
        return XlatorTypes.load().all().stream()
                .filter(type -> !type.type().startsWith("testkit/"))
                .toList();
    }

    private static String pageName(XlatorType type) {
        return type.type().substring(type.type().indexOf('/') + 1) + ".md";
    }

    @ParameterizedTest
    @MethodSource("types")
    void shouldHaveTheOptionTableOnItsPage(XlatorType type) throws IOException {
        Path page = FOLDER.resolve(pageName(type));
        assertThat(page).exists();
        assertThat(Files.readAllLines(page).get(0)).isEqualTo("# " + type.type());
        assertThat(rows(page)).isEqualTo(expectedRows(type));
    }

    private static List<String> rows(Path page) throws IOException {
        List<String> rows = new ArrayList<>();
        boolean inTable = false;
        for (String line : Files.readAllLines(page)) {
            if (line.equals("| option | type | default | description |")) {
                inTable = true;
            } else if (!line.startsWith("|")) {
                inTable = false;
            } else if (inTable && !line.startsWith("|---")) {
                rows.add(line);
            }
        }
        return rows;
    }

    private static List<String> expectedRows(XlatorType type) {
        return type.options().options().stream()
                .map(
                        option ->
                                "| "
                                        + option.name()
                                        + " | "
                                        + typeText(option)
                                        + " | "
                                        + defaultText(option)
                                        + " | "
                                        + option.description()
                                        + " |")
                .toList();
    }

    private static String typeText(Option option) {
        return option.type() == Option.Type.CHOICE
                ? String.join(", ", option.choices())
                : option.type().name().toLowerCase(Locale.ROOT);
    }

    private static String defaultText(Option option) {
        String value = option.defaultValue();
        if (value == null) {
            return "(required)";
        }
        return value.isEmpty() ? "(empty)" : value;
    }

    @Test
    void shouldHaveAPageForEachTypeAndNoOther() throws IOException {
        Set<String> pages = new TreeSet<>();
        try (Stream<Path> files = Files.list(FOLDER)) {
            files.map(file -> file.getFileName().toString()).forEach(pages::add);
        }
        Set<String> expected = new TreeSet<>(List.of("README.md"));
        types().forEach(type -> expected.add(pageName(type)));
        assertThat(pages).isEqualTo(expected);
        String readme = Files.readString(FOLDER.resolve("README.md"));
        types().forEach(
                        type ->
                                assertThat(readme)
                                        .contains("[" + type.type() + "](" + pageName(type) + ")"));
    }
}
