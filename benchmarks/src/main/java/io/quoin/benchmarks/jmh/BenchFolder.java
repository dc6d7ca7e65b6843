package io.quoin.benchmarks.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A folder for the files of a benchmark, removed with all that is in it.
 *
 * <p>Threading: immutable.
 */
record BenchFolder(Path path) {
    static BenchFolder make() {
        try {
            return new BenchFolder(Files.createTempDirectory("quoin-benchmark"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a folder to measure in", e);
        }
    }

    void remove() throws IOException {
        try (Stream<Path> left = Files.walk(path)) {
            for (Path each : left.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }
}
