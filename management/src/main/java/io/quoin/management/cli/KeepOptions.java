package io.quoin.management.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * How many are kept; null: the rule is not given.
 *
 * <p>Threading: confined to the main thread.
 */
final class KeepOptions {
    @Option(names = "--keep-last", paramLabel = "N", description = "the newest N")
    private @Nullable Long last;

    @Option(
            names = "--keep-hourly",
            paramLabel = "N",
            description = "the newest of each of the last N hours that have one")
    private @Nullable Long hourly;

    @Option(names = "--keep-daily", paramLabel = "N", description = "the same of days")
    private @Nullable Long daily;

    @Option(
            names = "--keep-weekly",
            paramLabel = "N",
            description = "of weeks, which begin on Mondays")
    private @Nullable Long weekly;

    @Option(names = "--keep-monthly", paramLabel = "N", description = "of months")
    private @Nullable Long monthly;

    @Option(names = "--keep-yearly", paramLabel = "N", description = "of years")
    private @Nullable Long yearly;

    @Nullable Long last() {
        return last;
    }

    @Nullable Long hourly() {
        return hourly;
    }

    @Nullable Long daily() {
        return daily;
    }

    @Nullable Long weekly() {
        return weekly;
    }

    @Nullable Long monthly() {
        return monthly;
    }

    @Nullable Long yearly() {
        return yearly;
    }
}
