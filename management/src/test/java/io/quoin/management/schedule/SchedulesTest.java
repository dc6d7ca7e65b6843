package io.quoin.management.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.backup.Retention;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobFailure;
import io.quoin.management.job.JobProgress;
import io.quoin.management.job.JobState;
import io.quoin.management.job.JobView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** When runs begin, by a clock that the test sets. */
@Timeout(120)
class SchedulesTest {
    private static final Retention ALL = new Retention(0, 0, 0, 0, 0, 0);

    @TempDir private Path folder;

    private final FakeJobs jobs = new FakeJobs();
    private Instant now = Instant.parse("2026-12-01T12:00:00Z");
    private Schedules schedules;

    /** Jobs that end when the test says so. */
    private static final class FakeJobs implements ScheduleJobs {
        private final Map<String, JobState> states = new TreeMap<>();
        private @Nullable BlockException refusal;

        @Override
        public JobView start(StoredSchedule schedule) {
            if (refusal != null) {
                throw refusal;
            }
            String id = String.valueOf(states.size() + 1);
            states.put(id, JobState.RUNNING);
            return view(id);
        }

        @Override
        public @Nullable JobView find(String id) {
            return states.containsKey(id) ? view(id) : null;
        }

        private JobView view(String id) {
            JobState state = states.get(id);
            JobFailure failure =
                    state == JobState.FAILED ? new JobFailure("EIO", "it went wrong") : null;
            String ended = state.hasEnded() ? "2026-12-02T03:00:05Z" : null;
            JobProgress progress = new JobProgress(0, 0, "steps", 0, null);
            return new JobView(
                    id, "schedule.run", "s", state, progress, "", "", ended, failure, null);
        }

        void endAll(JobState as) {
            states.replaceAll((id, state) -> state.hasEnded() ? state : as);
        }
    }

    @BeforeEach
    void restart() {
        schedules = new Schedules(folder.resolve("schedules"), jobs, () -> now);
    }

    private ScheduleSpec spec(String cron, String zone, boolean catchUp) {
        return new ScheduleSpec(
                "s", cron, zone, List.of("vm1"), null, null, false, false, 128, ALL, catchUp);
    }

    private void create(String cron) {
        schedules.create(spec(cron, "UTC", true));
    }

    private void at(String time) {
        now = Instant.parse(time);
        schedules.tick();
    }

    private List<String> history() {
        List<String> lines = new ArrayList<>();
        for (ScheduledRun run : schedules.show("s").runs()) {
            lines.add(0, run.state().text() + ' ' + run.due());
        }
        return lines;
    }

    /** Ticks each second of a span, with jobs that end at once; tells when runs began. */
    private List<Instant> begun(String from, Duration span) {
        List<Instant> begun = new ArrayList<>();
        Instant end = Instant.parse(from).plus(span);
        for (now = Instant.parse(from); now.isBefore(end); now = now.plusSeconds(1)) {
            int before = jobs.states.size();
            schedules.tick();
            jobs.endAll(JobState.DONE);
            if (jobs.states.size() > before) {
                begun.add(now);
            }
        }
        return begun;
    }

    @Test
    void shouldBeginOnceWhenItIsDue() {
        create("0 3 * * *");
        assertThat(schedules.show("s").next()).isEqualTo("2026-12-02T03:00:00Z");
        at("2026-12-02T02:59:59Z");
        assertThat(history()).isEmpty();
        at("2026-12-02T03:00:00Z");
        at("2026-12-02T03:00:01Z");
        assertThat(history()).containsExactly("running 2026-12-02T03:00:00Z");
        assertThat(schedules.show("s").runs().get(0).makes()).isEqualTo("s-2026-12-02T030000Z");
        jobs.endAll(JobState.DONE);
        at("2026-12-02T03:00:09Z");
        assertThat(history()).containsExactly("done 2026-12-02T03:00:00Z");
        assertThat(schedules.show("s").next()).isEqualTo("2026-12-03T03:00:00Z");
        assertThat(jobs.states).hasSize(1);
    }

    @Test
    void shouldMakeUpOnceForAllThatWasMissedAndTellIt() {
        create("0 3 * * *");
        restart();
        at("2026-12-05T08:00:00Z");
        at("2026-12-05T08:00:01Z");
        assertThat(history())
                .containsExactly("missed 2026-12-02T03:00:00Z", "running 2026-12-05T03:00:00Z");
        assertThat(schedules.show("s").runs().get(1).text()).contains("missed=4");
        assertThat(schedules.show("s").runs().get(0).text()).contains("made up");
        assertThat(jobs.states).hasSize(1);
        jobs.endAll(JobState.DONE);
        at("2026-12-06T03:00:00Z");
        assertThat(history()).hasSize(3).contains("running 2026-12-06T03:00:00Z");
    }

    @Test
    void shouldOnlyTellWhatWasMissedWhenNotToMakeUpForIt() {
        schedules.create(spec("0 3 * * *", "UTC", false));
        at("2026-12-02T04:00:00Z");
        assertThat(history()).containsExactly("missed 2026-12-02T03:00:00Z");
        assertThat(jobs.states).isEmpty();
        at("2026-12-03T03:00:30Z");
        assertThat(history()).hasSize(2).contains("running 2026-12-03T03:00:00Z");
    }

    @Test
    void shouldSkipAndTellARunWhileTheOneBeforeGoesOn() {
        create("* * * * *");
        at("2026-12-01T12:01:00Z");
        at("2026-12-01T12:02:00Z");
        assertThat(history())
                .containsExactly("running 2026-12-01T12:01:00Z", "skipped 2026-12-01T12:02:00Z");
        assertThat(schedules.show("s").runs().get(0).text()).contains("job=1");
        assertThatThrownBy(() -> schedules.runNow("s"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("job=1");
        assertThatThrownBy(() -> schedules.remove("s")).hasMessageContaining("job=1");
        jobs.endAll(JobState.FAILED);
        at("2026-12-01T12:03:00Z");
        assertThat(history()).contains("failed 2026-12-01T12:01:00Z");
        assertThat(schedules.show("s").runs().get(2).text()).isEqualTo("it went wrong");
        assertThat(jobs.states).hasSize(2);
    }

    @Test
    void shouldNotRunTwiceWhenTheClockIsSetBack() {
        create("0 3 * * *");
        at("2026-12-02T03:00:00Z");
        jobs.endAll(JobState.DONE);
        at("2026-12-02T02:30:00Z");
        at("2026-12-02T03:00:00Z");
        at("2026-12-02T03:30:00Z");
        assertThat(history()).containsExactly("done 2026-12-02T03:00:00Z");
        restart();
        at("2026-12-02T02:59:00Z");
        at("2026-12-02T03:00:00Z");
        assertThat(jobs.states).hasSize(1);
        at("2026-12-03T03:00:00Z");
        assertThat(jobs.states).hasSize(2);
    }

    @Test
    void shouldRunOnceWhenTheClockJumpsForward() {
        create("0 * * * *");
        at("2026-12-01T23:30:00Z");
        jobs.endAll(JobState.DONE);
        at("2026-12-01T23:30:01Z");
        assertThat(jobs.states).hasSize(1);
        assertThat(history())
                .containsExactly("missed 2026-12-01T13:00:00Z", "done 2026-12-01T23:00:00Z");
    }

    @Test
    void shouldGoOnWhenAClockThatWasYearsAheadIsSetRight() {
        create("0 3 * * *");
        at("2036-01-01T00:00:00Z");
        jobs.endAll(JobState.DONE);
        at("2026-12-02T00:00:00Z");
        at("2026-12-02T03:00:00Z");
        assertThat(history()).contains("running 2026-12-02T03:00:00Z");
    }

    @Test
    void shouldCountOnlySoManyWhenManyWereMissed() {
        create("* * * * *");
        at("2027-12-01T12:00:30Z");
        assertThat(jobs.states).hasSize(1);
        assertThat(schedules.show("s").runs().get(1).text()).contains("missed=1000 or more");
        assertThat(schedules.show("s").next()).isEqualTo("2027-12-01T12:01:00Z");
    }

    @Test
    void shouldFollowTheClocksOfItsZoneWhenTheyAreSet() {
        schedules.create(spec("30 2 * * *", "Europe/Berlin", true));
        // The hour from 2 to 3 is left out on 2027-03-28, and is there twice on 2027-10-31.
        assertThat(begunAround("2027-03-27T00:00:00Z"))
                .containsExactly(
                        "2027-03-27T01:30:00Z", "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z");
        assertThat(begunAround("2027-10-30T00:00:00Z"))
                .containsExactly(
                        "2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z");
    }

    private List<String> begunAround(String from) {
        now = Instant.parse(from);
        schedules.pause("s");
        schedules.resume("s");
        List<String> begun = new ArrayList<>();
        for (Instant end = now.plus(Duration.ofDays(3)); now.isBefore(end); ) {
            int before = jobs.states.size();
            schedules.tick();
            jobs.endAll(JobState.DONE);
            if (jobs.states.size() > before) {
                begun.add(now.toString());
            }
            now = now.plusSeconds(30);
        }
        return begun;
    }

    @Test
    void shouldRunEachMinuteOnceWhenLookedAtEachSecond() {
        create("*/2 * * * *");
        assertThat(begun("2026-12-01T12:00:00Z", Duration.ofMinutes(10)))
                .containsExactly(
                        Instant.parse("2026-12-01T12:02:00Z"),
                        Instant.parse("2026-12-01T12:04:00Z"),
                        Instant.parse("2026-12-01T12:06:00Z"),
                        Instant.parse("2026-12-01T12:08:00Z"));
    }

    @Test
    void shouldLeaveOutWhatIsDueWhilePaused() {
        create("0 3 * * *");
        schedules.pause("s");
        restart();
        at("2026-12-03T03:00:00Z");
        assertThat(schedules.show("s").next()).isNull();
        assertThat(history()).isEmpty();
        schedules.runNow("s");
        jobs.endAll(JobState.DONE);
        now = Instant.parse("2026-12-03T04:00:00Z");
        schedules.resume("s");
        at("2026-12-03T04:00:01Z");
        assertThat(history()).containsExactly("done 2026-12-03T03:00:00Z");
        at("2026-12-04T03:00:00Z");
        assertThat(jobs.states).hasSize(2);
    }

    @Test
    void shouldSayInterruptedWhenTheServiceEndedInTheMiddle() {
        create("0 3 * * *");
        at("2026-12-02T03:00:00Z");
        jobs.endAll(JobState.INTERRUPTED);
        restart();
        assertThat(history()).containsExactly("interrupted 2026-12-02T03:00:00Z");
        at("2026-12-03T03:00:00Z");
        jobs.states.clear();
        restart();
        assertThat(history()).contains("interrupted 2026-12-03T03:00:00Z");
    }

    @Test
    void shouldSayWhyWhenARunCannotBegin() {
        create("0 3 * * *");
        jobs.refusal = new BlockException(BlockError.EBUSY, "too many jobs are waiting");
        at("2026-12-02T03:00:00Z");
        assertThat(history()).containsExactly("failed 2026-12-02T03:00:00Z");
        assertThat(schedules.show("s").runs().get(0).text()).contains("too many jobs");
    }

    @Test
    void shouldLeaveAFileAloneThatCannotBeRead() throws IOException {
        create("0 3 * * *");
        Path file = folder.resolve("schedules/s.json");
        Files.writeString(file, "{ \"spec\" : {");
        restart();
        assertThat(schedules.list()).isEmpty();
        assertThatThrownBy(() -> create("0 3 * * *")).hasMessageContaining("already exists");
        assertThat(file).hasContent("{ \"spec\" : {");
    }

    @Test
    void shouldRefuseWhatCanNeverBeDue() {
        assertThatThrownBy(() -> create("0 0 31 2 *")).hasMessageContaining("no such time");
        assertThatThrownBy(() -> create("61 * * * *")).hasMessageContaining("61 not in range");
        assertThatThrownBy(() -> create("daily")).hasMessageContaining("\"0 3 * * *\"");
        assertThatThrownBy(() -> schedules.create(spec("0 3 * * *", "Here", true)))
                .hasMessageContaining("zone=Here, expected=as in UTC");
        assertThatThrownBy(() -> schedules.show("t")).hasMessageContaining("no such schedule");
        create("0 3 * * *");
        assertThatThrownBy(() -> create("0 3 * * *")).hasMessageContaining("already exists");
        assertThatThrownBy(() -> schedules.show("ss")).hasMessageContaining("did you mean s?");
        schedules.remove("s");
        restart();
        assertThat(schedules.list()).isEmpty();
    }
}
