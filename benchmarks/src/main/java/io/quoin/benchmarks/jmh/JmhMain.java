package io.quoin.benchmarks.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs benchmarks: JMH's own command line, with results as JSON and as a Markdown table beside it.
 *
 * <p>Threading: confined to the main thread.
 */
public final class JmhMain {
    private static final String OWN_PACKAGE = "io.quoin.benchmarks.jmh.";

    private JmhMain() {}

    /**
     * Arguments: the file for the JSON, then JMH's own (a filter, {@code -f 1}, {@code -h}).
     *
     * @throws CommandLineOptionException for arguments that JMH does not know
     */
    public static void main(String[] args)
            throws CommandLineOptionException, IOException, RunnerException {
        Path json = Path.of(args[0]);
        String[] jmhArgs = Arrays.copyOfRange(args, 1, args.length);
        CommandLineOptions options = new CommandLineOptions(jmhArgs);
        if (options.shouldHelp()) {
            options.showHelp();
            return;
        }
        if (options.shouldList()) {
            new Runner(options).list();
            return;
        }
        Files.createDirectories(json.toAbsolutePath().getParent());
        Collection<RunResult> results = new Runner(withDefaults(options, json)).run();
        String table = table(results);
        Path markdown = json.resolveSibling(json.getFileName() + ".md");
        write(markdown, table);
        System.out.println();
        System.out.print(table);
        System.out.println("written: " + json + " and " + markdown);
    }

    /** Two JVMs of eight seconds each, unless told otherwise. */
    private static Options withDefaults(CommandLineOptions options, Path json) {
        return new OptionsBuilder()
                .parent(options)
                .forks(options.getForkCount().orElse(2))
                .warmupIterations(options.getWarmupIterations().orElse(3))
                .warmupTime(options.getWarmupTime().orElse(TimeValue.seconds(1)))
                .measurementIterations(options.getMeasurementIterations().orElse(5))
                .measurementTime(options.getMeasurementTime().orElse(TimeValue.seconds(1)))
                .resultFormat(ResultFormatType.JSON)
                .result(json.toString())
                .build();
    }

    /** One line for each benchmark and set of parameters. */
    static String table(Collection<RunResult> results) {
        StringBuilder text = new StringBuilder();
        text.append("| benchmark | parameters | score | error (99.9%) | unit |\n");
        text.append("|---|---|---:|---:|---|\n");
        for (RunResult run : results) {
            Result<?> score = run.getPrimaryResult();
            String name = run.getParams().getBenchmark();
            String parameters =
                    run.getParams().getParamsKeys().stream()
                            .map(key -> key + "=" + run.getParams().getParam(key))
                            .collect(Collectors.joining(", "));
            text.append(
                    String.format(
                            Locale.ROOT,
                            "| %s | %s | %.1f | %s | %s |%n",
                            name.startsWith(OWN_PACKAGE)
                                    ? name.substring(OWN_PACKAGE.length())
                                    : name,
                            parameters,
                            score.getScore(),
                            error(score.getScoreError()),
                            score.getScoreUnit()));
        }
        return text.toString();
    }

    /** With too few iterations there is none. */
    private static String error(double error) {
        return Double.isNaN(error) ? "-" : String.format(Locale.ROOT, "%.1f", error);
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write results: file=" + file, e);
        }
    }
}
