package io.quoin.nbd.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.AbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/** How much peers may have written into the log. */
@Timeout(20)
final class PeerLogTest {
    private final AtomicLong now = new AtomicLong(-5);
    private final Lines lines = new Lines();
    private final PeerLog log = new PeerLog(lines, now::get);

    /** A logger that keeps what it is told. */
    private static final class Lines extends AbstractLogger {
        private static final long serialVersionUID = 1L;
        private final transient List<String> told = new ArrayList<>();

        @Override
        protected void handleNormalizedLoggingCall(
                Level level, Marker marker, String message, Object[] arguments, Throwable cause) {
            told.add(MessageFormatter.basicArrayFormat(message, arguments));
        }

        @Override
        protected String getFullyQualifiedCallerName() {
            return "";
        }

        @Override
        public boolean isTraceEnabled() {
            return true;
        }

        @Override
        public boolean isTraceEnabled(Marker marker) {
            return true;
        }

        @Override
        public boolean isDebugEnabled() {
            return true;
        }

        @Override
        public boolean isDebugEnabled(Marker marker) {
            return true;
        }

        @Override
        public boolean isInfoEnabled() {
            return true;
        }

        @Override
        public boolean isInfoEnabled(Marker marker) {
            return true;
        }

        @Override
        public boolean isWarnEnabled() {
            return true;
        }

        @Override
        public boolean isWarnEnabled(Marker marker) {
            return true;
        }

        @Override
        public boolean isErrorEnabled() {
            return true;
        }

        @Override
        public boolean isErrorEnabled(Marker marker) {
            return true;
        }
    }

    @Test
    void shouldLeaveLinesOutAndCountThemWhenAPeerBringsTooMany() {
        for (int i = 0; i < 1000; i++) {
            log.warn("1.2.3.4", "export cannot be opened", "name=\"" + i + "\"");
        }
        assertThat(lines.told)
                .hasSize(5)
                .first()
                .isEqualTo("export cannot be opened: peer=1.2.3.4, name=\"0\"");
        log.warn("unix", "export cannot be opened", "name=\"other\"");
        assertThat(lines.told).hasSize(6);
        now.addAndGet(TimeUnit.SECONDS.toNanos(10));
        log.warn("1.2.3.4", "export cannot be opened", "name=\"x\"");
        log.warn("1.2.3.4", "export cannot be opened", "name=\"y\"");
        assertThat(lines.told)
                .hasSize(7)
                .last()
                .isEqualTo(
                        "export cannot be opened: peer=1.2.3.4, name=\"x\", left out before=995");
    }

    @Test
    void shouldBoundLinesWhenEachComesFromAnotherPeer() {
        for (int i = 0; i < 10_000; i++) {
            log.warn("10.0." + i / 256 + "." + i % 256, "connection refused", "limit=1");
        }
        assertThat(lines.told).hasSize(50);
    }
}
