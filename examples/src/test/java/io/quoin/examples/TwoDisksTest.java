package io.quoin.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TwoDisksTest {
    private static final Pattern BALANCES =
            Pattern.compile("account-1@cut-\\d+: (-?\\d+)\naccount-2@cut-\\d+: (\\d+)\n");

    private @TempDir Path folder;

    @Test
    void shouldFindAtMostOnePaymentOnItsWayWhenBothDisksAreCut() {
        for (int i = 0; i < 3; i++) {
            Matcher balances = BALANCES.matcher(run());
            assertThat(balances.matches()).isTrue();
            long first = Long.parseLong(balances.group(1));
            long second = Long.parseLong(balances.group(2));
            assertThat(first + second).isBetween(-1L, 0L);
        }
    }

    private String run() {
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            TwoDisks.main(new String[] {folder.toString(), "200"});
        } finally {
            System.setOut(before);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }
}
