package io.quoin.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.backup.Retention.Dated;
import io.quoin.block.BlockException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class RetentionTest {
    /**
     * Backups by their times, the oldest first; numbers are last, hourly, daily, weekly, monthly
     * and yearly.
     */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 0 0 0 0 0 | 2026-12-01T10:00 2026-12-02T10:00 | ",
                "1 0 0 0 0 0 | 2026-12-01T10:00 2026-12-02T10:00 | 1=last",
                "9 0 0 0 0 0 | 2026-12-01T10:00 2026-12-02T10:00 | 0=last 1=last",
                // The newest of an hour, of a day.
                "0 2 0 0 0 0 | 2026-12-01T10:01 2026-12-01T10:59 2026-12-01T11:00 | 1=hourly"
                        + " 2=hourly",
                "0 0 1 0 0 0 | 2026-12-01T00:00 2026-12-01T10:00 2026-12-01T23:59 | 2=daily",
                "0 0 2 0 0 0 | 2026-11-01T10:00 2026-12-01T10:00 2026-12-01T11:00 | 0=daily"
                        + " 2=daily",
                // Days without a backup do not count.
                "0 0 2 0 0 0 | 2026-01-01T10:00 2026-05-01T10:00 2026-12-01T11:00 | 1=daily"
                        + " 2=daily",
                // A period that an earlier rule kept one of does not count again.
                "1 0 1 0 0 0 | 2026-11-30T10:00 2026-12-01T10:00 2026-12-01T11:00 | 0=daily"
                        + " 2=last",
                "0 0 1 1 1 1 | 2025-12-01T10:00 2026-10-01T10:00 2026-11-29T10:00"
                        + " 2026-12-01T10:00 | 0=yearly 1=monthly 2=weekly 3=daily",
                // Weeks begin on Mondays, and the one with the year's end is one week.
                "0 0 0 2 0 0 | 2026-11-29T23:59 2026-11-30T00:00 | 0=weekly 1=weekly",
                "0 0 0 2 0 0 | 2026-12-27T10:00 2026-12-28T10:00 2027-01-03T10:00 | 0=weekly"
                        + " 2=weekly",
                "0 0 0 0 2 0 | 2026-10-31T10:00 2026-11-01T10:00 2026-11-30T10:00 | 0=monthly"
                        + " 2=monthly",
                "0 0 0 0 0 9 | 2024-12-31T23:59 2025-01-01T00:00 2026-06-01T00:00 | 0=yearly"
                        + " 1=yearly 2=yearly",
            })
    void shouldKeepByRulesWhenThereAreBackups(String rule, String times, String kept) {
        long[] counts = Arrays.stream(rule.split(" ")).mapToLong(Long::parseLong).toArray();
        Retention retention =
                new Retention(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]);
        List<Dated> backups = new ArrayList<>();
        for (String time : times.split(" ", -1)) {
            backups.add(
                    new Dated(
                            Integer.toString(backups.size()),
                            Instant.parse(time.strip() + ":00Z")));
        }
        Collections.reverse(backups);
        List<String> lines = new ArrayList<>();
        new TreeMap<>(retention.kept(backups)).forEach((name, why) -> lines.add(name + "=" + why));
        assertThat(String.join(" ", lines)).isEqualTo(kept == null ? "" : kept);
    }

    @Test
    void shouldRefuseWhenAnumberIsNegative() {
        assertThatThrownBy(() -> new Retention(0, 0, -1, 0, 0, 0))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("value=-1");
    }
}
