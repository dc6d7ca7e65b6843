package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.temporal.IsoFields;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * How many backups of a disk are kept. Rules are gone through in the order of the components, each
 * over the backups from the newest on: the newest of a period is kept, until so many periods have
 * one. A period that an earlier rule has kept a backup of does not count again. Periods are those
 * of UTC; weeks begin on Mondays. Proxmox Backup Server counts alike.
 *
 * <p>Threading: immutable.
 *
 * @param last so many of the newest; 0, as of all: none by this rule
 * @param hourly the newest of each of so many hours that have one
 * @param daily of days
 * @param weekly of weeks
 * @param monthly of months
 * @param yearly of years
 */
public record Retention(
        long last, long hourly, long daily, long weekly, long monthly, long yearly) {
    public Retention {
        for (long count : new long[] {last, hourly, daily, weekly, monthly, yearly}) {
            if (count < 0) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "retention: value=" + count + ", expected=0 or more backups to keep");
            }
        }
    }

    /** Whether it says nothing, which keeps everything. */
    public boolean keepsAll() {
        return last == 0 && hourly == 0 && daily == 0 && weekly == 0 && monthly == 0 && yearly == 0;
    }

    /**
     * What is kept or not, as a rule sees it.
     *
     * @param name unique
     * @param time when it was made
     */
    public record Dated(String name, Instant time) {}

    /**
     * Which are kept, by the name of the rule.
     *
     * @param newestFirst all that count
     */
    public Map<String, String> kept(List<Dated> newestFirst) {
        Map<String, String> kept = new HashMap<>();
        keep(kept, newestFirst, "last", last, Dated::name);
        keep(kept, newestFirst, "hourly", hourly, each -> utc(each).truncatedTo(ChronoUnit.HOURS));
        keep(kept, newestFirst, "daily", daily, each -> utc(each).toLocalDate());
        keep(kept, newestFirst, "weekly", weekly, Retention::week);
        keep(kept, newestFirst, "monthly", monthly, Retention::month);
        keep(kept, newestFirst, "yearly", yearly, each -> utc(each).getYear());
        return kept;
    }

    private static OffsetDateTime utc(Dated backup) {
        return backup.time().atOffset(ZoneOffset.UTC);
    }

    private static String week(Dated backup) {
        OffsetDateTime time = utc(backup);
        return time.get(IsoFields.WEEK_BASED_YEAR)
                + "-"
                + time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR);
    }

    private static String month(Dated backup) {
        return utc(backup).getYear() + "-" + utc(backup).getMonthValue();
    }

    private static void keep(
            Map<String, String> kept,
            List<Dated> newestFirst,
            String rule,
            long count,
            Function<Dated, Object> period) {
        Set<Object> periods = new HashSet<>();
        for (Dated backup : newestFirst) {
            if (kept.containsKey(backup.name())) {
                periods.add(period.apply(backup));
            }
        }
        long left = count;
        for (Dated backup : newestFirst) {
            if (left > 0 && !kept.containsKey(backup.name()) && periods.add(period.apply(backup))) {
                kept.put(backup.name(), rule);
                left--;
            }
        }
    }
}
