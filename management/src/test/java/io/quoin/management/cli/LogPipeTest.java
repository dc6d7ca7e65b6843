package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A log that is not read, and one that is. */
@Timeout(60)
class LogPipeTest {
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();

    private static PrintStream print(LogPipe pipe) {
        return new PrintStream(pipe, true, StandardCharsets.UTF_8);
    }

    private String text() {
        return read.toString(StandardCharsets.UTF_8);
    }

    /** A pipe whose reader begins to read when it is told to. */
    private final class Unread extends OutputStream {
        private final CountDownLatch reads = new CountDownLatch(1);

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value});
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                reads.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            synchronized (read) {
                read.write(bytes, offset, length);
            }
        }
    }

    @Test
    void shouldWriteEveryLineInOrderWhenItIsRead() {
        LogPipe pipe = new LogPipe(read);
        PrintStream out = print(pipe);
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < 1000; i++) {
            out.println("line " + i + " \u00e4");
            expected.append("line ").append(i).append(" \u00e4\n");
        }
        out.print("the last one has no end");
        pipe.drain(20_000);
        assertThat(text()).isEqualTo(expected + "the last one has no end");
    }

    @Test
    void shouldStopNobodyAndCountWhatIsDroppedWhenNobodyReads() {
        Unread unread = new Unread();
        LogPipe pipe = new LogPipe(unread);
        PrintStream out = print(pipe);
        String line = "x".repeat(999);
        for (int i = 0; i < 10_000; i++) {
            out.println(line);
        }
        pipe.drain(10);
        unread.reads.countDown();
        pipe.drain(20_000);
        long lines = text().lines().filter(line::equals).count();
        assertThat(lines).isBetween(900L, 1100L);
        assertThat(text().lines().filter(text -> !text.equals(line)))
                .containsExactly(
                        "quoin: log lines dropped, not read in time: lines=" + (10_000 - lines));
        out.println("and on");
        pipe.drain(20_000);
        assertThat(text()).endsWith("and on\n");
    }

    @Test
    void shouldReplaceWhatATerminalWouldObey() {
        LogPipe pipe = new LogPipe(read);
        print(pipe).println("a\u001b[31mb\r\u0007\tc\u007f");
        pipe.drain(20_000);
        assertThat(text()).isEqualTo("a?[31mb??\tc?\n");
    }

    @Test
    void shouldCutLinesThatHaveNoEnd() {
        LogPipe pipe = new LogPipe(read);
        print(pipe).print("y".repeat(100_000));
        pipe.drain(20_000);
        assertThat(text()).isEqualTo("y".repeat(100_000));
    }

    @Test
    void shouldGoOnWhenThePipeIsBroken() {
        OutputStream broken =
                new OutputStream() {
                    @Override
                    public void write(int value) throws IOException {
                        throw new IOException("Broken pipe");
                    }
                };
        LogPipe pipe = new LogPipe(broken);
        for (int i = 0; i < 5000; i++) {
            print(pipe).println("z".repeat(1000));
        }
        pipe.drain(20_000);
    }
}
