package io.quoin.management.cli.image;

import io.quoin.management.cli.terminal.OutputOption;
import io.quoin.management.cli.terminal.Progress;
import io.quoin.qcow2.check.ChannelImageFile;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.ImageFile;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code quoin image check}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "check",
        description = "Check the consistency of an image, and repair it.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Exit codes: 0 consistent, 1 not completed, 2 corrupt, 3 leaked clusters alone,",
            "63 the format has no check.",
            "",
            "Examples:",
            "  quoin image check vm1.qcow2",
            "  quoin image check --repair leaks vm1.qcow2"
        })
final class CheckCommand implements Callable<Integer> {
    /** What may be repaired. */
    enum Repair {
        leaks,
        all
    }

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource image;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Option(
            names = {"-r", "--repair"},
            paramLabel = "WHAT",
            description = "leaks: give leaked clusters back, always safe; all: refcounts too")
    private @Nullable Repair repair;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        PrintWriter err = spec.commandLine().getErr();
        Path path = image.file();
        if (image.isRaw()) {
            err.println("quoin: raw images have no check: path=" + path);
            err.flush();
            return CheckResult.EXIT_NO_CHECK;
        }
        CheckResult result;
        AutoCloseable held = image.hold();
        try {
            result = check(path, err);
        } finally {
            held.close();
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("filename", path.toString());
        fields.put("format", "qcow2");
        fields.putAll(result.toMap());
        output.print(fields, out -> print(result, out));
        return result.exitCode();
    }

    private CheckResult check(Path path, PrintWriter err) throws IOException {
        try (ImageFile file = ChannelImageFile.open(path, repair != null);
                Findings findings = new Findings(err)) {
            return Qcow2Check.check(file, mode(), findings);
        }
    }

    private RepairMode mode() {
        if (repair == null) {
            return RepairMode.NONE;
        }
        return repair == Repair.leaks ? RepairMode.LEAKS : RepairMode.ALL;
    }

    private static void print(CheckResult result, PrintWriter out) {
        if (result.leaksFixed() + result.corruptionsFixed() > 0) {
            out.println(
                    "repaired: leaks="
                            + result.leaksFixed()
                            + ", corruptions="
                            + result.corruptionsFixed());
        }
        if (result.isClean()) {
            out.println("consistent: no errors");
        } else {
            out.println(
                    "not consistent: corruptions="
                            + result.corruptions()
                            + ", leaks="
                            + result.leaks()
                            + ", not checked="
                            + result.checkErrors());
        }
        out.println(
                "clusters: allocated="
                        + result.allocatedClusters()
                        + ", total="
                        + result.totalClusters()
                        + ", fragmented="
                        + result.fragmentedClusters()
                        + ", compressed="
                        + result.compressedClusters());
        out.println("image end: " + result.imageEndOffset());
    }

    /** Findings as lines on stderr, and progress there if it is a terminal. */
    private static final class Findings implements CheckListener, AutoCloseable {
        private final PrintWriter err;
        private final Progress progress = new Progress("checking");

        Findings(PrintWriter err) {
            this.err = err;
        }

        @Override
        public void progress(long done, long total) {
            progress.show(done, total);
        }

        @Override
        public void finding(String text) {
            progress.clear();
            err.println(text);
            err.flush();
        }

        @Override
        public void close() {
            progress.clear();
        }
    }
}
