package io.quoin.management.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class JobsTest {
    private static final long SOON = 30_000;

    @TempDir private Path folder;

    private record Sum(long value) {}

    private Jobs open() {
        return open(stored -> Optional.empty());
    }

    private Jobs open(Function<StoredJob, Optional<JobWork>> resumer) {
        return new Jobs(folder.resolve("jobs"), resumer);
    }

    private static JobView start(Jobs jobs, JobWork work) {
        return jobs.start("test.sum", "vm1", "bytes", Map.of("name", "vm1"), work);
    }

    private static JobView ended(Jobs jobs, String id) {
        long next = 0;
        JobNews news = jobs.await(id, next, SOON);
        while (!news.job().state().hasEnded()) {
            news = jobs.await(id, news.next(), SOON);
        }
        return news.job();
    }

    /** Goes on until it is to end. */
    private static Record endless(JobControl control) {
        while (control.proceed()) {
            Thread.onSpinWait();
        }
        throw new BlockException(BlockError.ESHUTDOWN, "it was to end");
    }

    @Test
    void shouldKeepTheResultAndTheFailureAfterARestart() {
        try (Jobs jobs = open()) {
            JobView sum = start(jobs, control -> new Sum(7));
            assertThat(ended(jobs, sum.id()).result()).isEqualTo(Map.of("value", 7L));
            JobView bad =
                    start(
                            jobs,
                            control -> {
                                throw new BlockException(BlockError.EIO, "broken: at=3");
                            });
            assertThat(ended(jobs, bad.id()).state()).isEqualTo(JobState.FAILED);
        }
        try (Jobs jobs = open()) {
            assertThat(jobs.list())
                    .extracting(JobView::state)
                    .containsExactly(JobState.DONE, JobState.FAILED);
            assertThat(jobs.show("1").result()).isEqualTo(Map.of("value", 7));
            assertThat(jobs.show("2").failure()).isEqualTo(new JobFailure("EIO", "broken: at=3"));
            assertThat(start(jobs, control -> new Sum(1)).id()).isEqualTo("3");
        }
    }

    @Test
    void shouldKeepItsFilesForTheOwnerAlone() throws IOException {
        try (Jobs jobs = open()) {
            ended(jobs, start(jobs, control -> new Sum(7)).id());
        }
        Path jobs = folder.resolve("jobs");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(jobs)))
                .isEqualTo("rwx------");
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(jobs.resolve("1.json"))))
                .isEqualTo("rw-------");
    }

    @Test
    void shouldTellMessagesFromWhereTheClientIs() {
        CountDownLatch first = new CountDownLatch(1);
        try (Jobs jobs = open()) {
            String id =
                    start(
                                    jobs,
                                    control -> {
                                        control.message("one");
                                        control.progress(1, 4);
                                        await(first);
                                        control.message("two");
                                        return new Sum(0);
                                    })
                            .id();
            JobNews news = jobs.await(id, 0, SOON);
            assertThat(news.messages()).containsExactly("one");
            assertThat(news.next()).isEqualTo(1);
            assertThat(jobs.await(id, 1, 1).messages()).isEmpty();
            first.countDown();
            assertThat(jobs.await(id, 1, SOON).messages()).containsExactly("two");
            JobView job = ended(jobs, id);
            assertThat(job.progress().done()).isEqualTo(4);
            assertThat(jobs.await(id, 0, SOON).messages()).containsExactly("one", "two");
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldCancelJobsThatRunWaitAndArePaused() {
        try (Jobs jobs = open()) {
            List<String> ids =
                    List.of(
                            start(jobs, JobsTest::endless).id(),
                            start(jobs, JobsTest::endless).id(),
                            start(jobs, JobsTest::endless).id());
            assertThat(jobs.list())
                    .extracting(JobView::state)
                    .containsExactly(JobState.RUNNING, JobState.RUNNING, JobState.QUEUED);
            assertThat(jobs.cancel("3").state()).isEqualTo(JobState.CANCELLED);
            jobs.pause("1");
            ids.forEach(jobs::cancel);
            for (String id : ids) {
                JobView job = ended(jobs, id);
                assertThat(job.state()).isEqualTo(JobState.CANCELLED);
                assertThat(jobs.cancel(id).state()).isEqualTo(JobState.CANCELLED);
            }
        }
    }

    @Test
    void shouldStandStillWhilePausedAndLetAnotherRun() throws InterruptedException {
        Semaphore allowed = new Semaphore(0);
        AtomicInteger done = new AtomicInteger();
        try (Jobs jobs = open()) {
            JobWork work =
                    control -> {
                        while (control.proceed()) {
                            if (done.incrementAndGet() == 2) {
                                return new Sum(2);
                            }
                            allowed.acquireUninterruptibly();
                        }
                        throw new BlockException(BlockError.ESHUTDOWN, "it was to end");
                    };
            start(jobs, work);
            start(jobs, JobsTest::endless);
            start(jobs, JobsTest::endless);
            assertThat(jobs.pause("1").state()).isEqualTo(JobState.PAUSED);
            allowed.release();
            assertThat(jobs.show("3").state()).isEqualTo(JobState.RUNNING);
            assertThatThrownBy(() -> jobs.resume("2")).hasMessageContaining("expected=paused");
            assertThat(done.get()).isLessThan(2);
            jobs.resume("1");
            assertThat(ended(jobs, "1").state()).isEqualTo(JobState.DONE);
        }
    }

    @Test
    void shouldInterruptWhatDidNotEndAndQueueAgainWhatCanGoOn() throws IOException {
        Path crashed = folder.resolve("jobs");
        String running;
        try (Jobs jobs = open()) {
            start(jobs, JobsTest::endless);
            running = Files.readString(crashed.resolve("1.json"));
            assertThat(running).contains("\"running\"", "\"request\":{\"name\":\"vm1\"}");
        }
        Files.writeString(crashed.resolve("1.json"), running); // as kill -9 would leave it
        Files.writeString(
                crashed.resolve("2.json"), running.replace("\"id\":\"1\"", "\"id\":\"2\""));
        Files.writeString(crashed.resolve("9.json"), "rubbish");
        Files.writeString(crashed.resolve("other"), "precious");
        Path unfinished = Files.createFile(crashed.resolve(".quoin-new-1-aaaaaaaaaaaaaaaa-file-1"));
        try (Jobs jobs =
                open(
                        stored ->
                                stored.job().id().equals("2")
                                        ? Optional.of(control -> new Sum(5))
                                        : Optional.empty())) {
            assertThat(jobs.show("1").state()).isEqualTo(JobState.INTERRUPTED);
            assertThat(ended(jobs, "2").result()).isEqualTo(Map.of("value", 5L));
            assertThat(jobs.list()).hasSize(2);
        }
        assertThat(crashed.resolve("9.json")).hasContent("rubbish");
        assertThat(crashed.resolve("other")).hasContent("precious");
        assertThat(unfinished).doesNotExist();
    }

    @Test
    void shouldKeepABoundedHistory() {
        try (Jobs jobs = open()) {
            for (int i = 0; i < 210; i++) {
                ended(jobs, start(jobs, control -> new Sum(0)).id());
            }
            assertThat(jobs.list()).hasSizeBetween(200, 201);
            assertThatThrownBy(() -> jobs.show("1")).hasMessageContaining("no such job: id=1");
            assertThat(folder.resolve("jobs/1.json")).doesNotExist();
        }
    }

    @Test
    void shouldRefuseMoreThanCanWait() {
        try (Jobs jobs = open()) {
            for (int i = 0; i < 258; i++) {
                start(jobs, JobsTest::endless);
            }
            assertThatThrownBy(() -> start(jobs, JobsTest::endless))
                    .hasMessageContaining("too many jobs are waiting");
        }
    }

    @Test
    void shouldRunAJobWhoseFileCannotBeWritten() throws IOException {
        Files.writeString(folder.resolve("jobs"), "no folder");
        try (Jobs jobs = open()) {
            String id = start(jobs, control -> new Sum(7)).id();
            assertThat(ended(jobs, id).state()).isEqualTo(JobState.DONE);
        }
        assertThat(folder.resolve("jobs")).hasContent("no folder");
    }
}
