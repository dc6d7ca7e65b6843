package io.quoin.benchmarks.compare;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/**
 * {@code benchmarks/compare} within a test, and what it has said.
 *
 * <p>Threading: confined to the test.
 */
final class CompareRun {
    final StringWriter out = new StringWriter();
    final StringWriter err = new StringWriter();

    /** The exit code. */
    int run(Path folder, String... arguments) {
        List<String> argv = new ArrayList<>(List.of(arguments));
        argv.add("--folder=" + folder);
        return new CommandLine(new Compare())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(argv.toArray(String[]::new));
    }
}
