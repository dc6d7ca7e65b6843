package io.quoin.testkit.peer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A folder with a short name for unix sockets, whose paths the kernel limits to 107 bytes; a build
 * folder may be deeper than that. Deleted with its content at {@link #close()}.
 *
 * <p>Threading: immutable.
 */
public final class SocketFolder implements AutoCloseable {
    private final Path path;

    private SocketFolder(Path path) {
        this.path = path;
    }

    public static SocketFolder create() {
        try {
            return new SocketFolder(Files.createTempDirectory(Path.of("/tmp"), "quoin-"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path path() {
        return path;
    }

    public Path resolve(String name) {
        return path.resolve(name);
    }

    @Override
    public void close() {
        try (Stream<Path> content = Files.walk(path)) {
            for (Path entry : content.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(entry);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
