package io.quoin.management.schedule;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinition;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The times of a schedule: a cron expression of five fields, by the clocks of a time zone. Each
 * time on those clocks is there once: of an hour that clocks go through twice the first counts, and
 * what falls into an hour that they leave out is by so much later.
 *
 * <p>Threading: immutable.
 */
final class Timing {
    private static final CronDefinition FIVE_FIELDS =
            CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX);
    private static final int COUNT_MAX = 1000;

    private final ExecutionTime times;
    private final ZoneId zone;

    private Timing(ExecutionTime times, ZoneId zone) {
        this.times = times;
        this.zone = zone;
    }

    /**
     * What has become due.
     *
     * @param first of the times
     * @param latest of them
     * @param count how many they are
     * @param isMore whether there are more than were counted; {@code latest} is now then
     */
    record Due(Instant first, Instant latest, int count, boolean isMore) {}

    /**
     * Reads an expression.
     *
     * @throws BlockException EINVAL for one that is wrong or has no time, or an unknown zone
     */
    static Timing of(String cron, String zone) {
        ZoneId where;
        try {
            where = ZoneId.of(zone);
        } catch (DateTimeException e) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "time zone of a schedule: zone="
                            + NameText.printable(zone)
                            + ", expected=as in UTC or Europe/Berlin",
                    e);
        }
        try {
            return new Timing(
                    ExecutionTime.forCron(new CronParser(FIVE_FIELDS).parse(cron)), where);
        } catch (IllegalArgumentException e) {
            throw wrong(cron, e.getMessage(), e);
        }
    }

    /** Refuses an expression that never comes true after a time. */
    void requireSome(Instant after, String cron) {
        if (next(after) == null) {
            throw wrong(cron, "there is no such time", null);
        }
    }

    private static BlockException wrong(
            String cron, @Nullable String reason, @Nullable Exception cause) {
        return new BlockException(
                BlockError.EINVAL,
                "cron expression of a schedule: cron="
                        + NameText.printable(cron)
                        + ", reason="
                        + reason
                        + ", expected=minute hour day-of-month month day-of-week, as in \"0 3 * *"
                        + " *\"",
                cause);
    }

    /** The first time after another one; null: there is none. */
    @Nullable Instant next(Instant after) {
        LocalDateTime clock = LocalDateTime.ofInstant(after, zone);
        while (true) {
            // The clock's times are looked for as if it ran evenly, and then found in the zone.
            Optional<ZonedDateTime> found = times.nextExecution(clock.atZone(ZoneOffset.UTC));
            if (found.isEmpty()) {
                return null;
            }
            clock = found.get().toLocalDateTime();
            Instant instant = clock.atZone(zone).toInstant();
            if (instant.isAfter(after)) {
                return instant;
            }
        }
    }

    /** Those after one time and not after another; null: none. */
    @Nullable Due due(Instant after, Instant now) {
        Instant first = next(after);
        if (first == null || first.isAfter(now)) {
            return null;
        }
        Instant latest = first;
        int count = 1;
        for (Instant each = next(first); each != null && !each.isAfter(now); each = next(each)) {
            if (count == COUNT_MAX) {
                return new Due(first, now, count, true);
            }
            latest = each;
            count++;
        }
        return new Due(first, latest, count, false);
    }
}
