package io.quoin.stripe;

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

/** The type is found, and its page says what its option table says. */
class StripeTypeTest {
    @Test
    void shouldBeFoundByItsName() {
        assertThat(ServiceLoader.load(XlatorType.class))
                .extracting(XlatorType::type)
                .contains(StripeType.TYPE);
    }

    @Test
    void shouldSayInTheDocumentationWhatTheTableSays() throws IOException {
        Path page = Path.of(System.getProperty("quoin.root"), "docs/xlators/stripe.md");
        List<String> rows =
                Files.readAllLines(page).stream()
                        .takeWhile(line -> !line.startsWith("## "))
                        .filter(line -> line.startsWith("| ") && !line.startsWith("| option |"))
                        .toList();
        assertThat(rows)
                .isEqualTo(
                        new StripeType()
                                .options().options().stream().map(StripeTypeTest::row).toList());
    }

    private static String row(Option option) {
        return "| "
                + String.join(
                        " | ",
                        option.name(),
                        option.type().name().toLowerCase(Locale.ROOT),
                        option.defaultValue(),
                        option.description())
                + " |";
    }
}
