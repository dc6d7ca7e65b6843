package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.tools.terminal.CommandRules;
import io.quoin.xlator.NameText;
import java.util.concurrent.CountDownLatch;

/**
 * A command that runs until it is told to stop by SIGTERM or SIGINT, and then exits with 0.
 *
 * <p>Threading: confined to the main thread.
 */
final class ServiceProcess {
    private ServiceProcess() {}

    /** What is closed when the process is told to stop. */
    interface Service {
        void close();
    }

    /** The JVM's own exit code for a signal would be 128 and more: a clean end is 0. */
    static void closeAtExit(Service service) {
        Thread closing =
                new Thread(
                        () -> {
                            int exitCode = 0;
                            try {
                                service.close();
                            } catch (RuntimeException e) {
                                System.err.println(
                                        "quoin: stopped with an error: " + e.getMessage());
                                exitCode = CommandRules.EXIT_FAILED;
                            }
                            Main.flushLog();
                            Runtime.getRuntime().halt(exitCode);
                        },
                        "quoin-shutdown");
        Runtime.getRuntime().addShutdownHook(closing);
    }

    /** Ends the process at once, with nothing closed: for what cannot be closed any more. */
    static void failed(String message) {
        System.err.println("quoin: " + NameText.printable(message));
        Main.flushLog();
        Runtime.getRuntime().halt(CommandRules.EXIT_FAILED);
    }

    static void waitForTheEnd() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted", e);
        }
    }
}
