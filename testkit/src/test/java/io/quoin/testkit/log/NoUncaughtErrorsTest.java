package io.quoin.testkit.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is caused here is taken out again by the test itself, before the extension looks. */
@Timeout(60)
class NoUncaughtErrorsTest {
    private static final Logger LOG = LoggerFactory.getLogger(NoUncaughtErrorsTest.class);

    @Test
    void shouldTakeDownWhatIsLoggedAsAnError() {
        LOG.warn("of no account");
        LOG.error("a wall has fallen: wall={}", "north", new IllegalStateException("rain"));
        assertThat(ErrorLog.instance().take())
                .singleElement()
                .asString()
                .contains("a wall has fallen: wall=north")
                .contains("rain");
    }

    @Test
    @LogsErrors("a wall has fallen")
    void shouldLetPassWhatTheTestExpects() {
        LOG.error("a wall has fallen: wall={}", "south");
        assertThat(ErrorLog.instance().take()).isEmpty();
    }

    @Test
    void shouldTakeDownWhatEndsAThread() throws InterruptedException {
        Thread thread =
                new Thread(
                        () -> {
                            throw new IllegalStateException("fell off");
                        },
                        "mason");
        thread.start();
        thread.join();
        assertThat(ErrorLog.instance().take())
                .singleElement()
                .asString()
                .contains("thread mason")
                .contains("fell off");
    }

    @Test
    void shouldTakeDownWhatNettySaysOfATask() {
        LoggerFactory.getLogger("io.netty.util.concurrent.AbstractEventExecutor")
                .warn("A task raised an exception.", new IllegalStateException("slipped"));
        assertThat(ErrorLog.instance().take()).singleElement().asString().contains("slipped");
    }
}
