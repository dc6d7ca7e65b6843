package io.quoin.tools;

import io.quoin.xlator.NameText;
import io.quoin.xlator.UnfinishedNames;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Removes what this process has in the making in a folder, if a signal ends the process before it
 * is closed.
 *
 * <p>Threading: confined to the thread of the tool; what it does runs on a thread of its own.
 */
final class SignalCleanUp implements AutoCloseable {
    private final Path folder;
    private final boolean endsNames;
    private final Runnable last;
    private final Thread hook = new Thread(this::removeAll, "quoin-clean-up");

    /**
     * @param endsNames whether the process makes no file any more once a signal has come; a service
     *     still does, to end well
     * @param last runs when the unfinished files are gone
     */
    SignalCleanUp(Path folder, boolean endsNames, Runnable last) {
        this.folder = folder;
        this.endsNames = endsNames;
        this.last = last;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void removeAll() {
        if (endsNames) {
            UnfinishedNames.end();
        }
        try {
            removeNow();
        } catch (IOException e) {
            System.err.println("quoin: unfinished image left behind: folder=" + shown(folder));
        }
        last.run();
    }

    private void removeNow() throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, ".*")) {
            for (Path file : files) {
                if (UnfinishedNames.isOwn(NameText.lastOf(file))) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private static String shown(Path path) {
        return NameText.printable(NameText.of(path));
    }

    /** For {@code last}, where nothing can be caught. */
    static void removeOrSay(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            System.err.println("quoin: unfinished file left behind: path=" + shown(file));
        }
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException ending) {
            // It is at work, or has been.
        }
    }
}
