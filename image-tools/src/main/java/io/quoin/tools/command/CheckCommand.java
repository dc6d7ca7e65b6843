package io.quoin.tools.command;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.tools.ImageSession;
import io.quoin.tools.terminal.CheckFindings;
import io.quoin.tools.terminal.CheckText;
import io.quoin.tools.terminal.ProgressOutput;
import io.quoin.xlator.NameText;
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
    private ForceShareOption share;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ProgressOutput output;

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
            err.println("quoin: raw images have no check: path=" + image.image().text());
            err.flush();
            return CheckResult.EXIT_NO_CHECK;
        }
        CheckResult result = check(path, err);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("filename", image.image().text());
        fields.put("format", "qcow2");
        fields.putAll(result.toMap());
        output.print(
                fields, out -> CheckText.print(field -> (Long) result.toMap().get(field), out));
        return result.exitCode();
    }

    private CheckResult check(Path path, PrintWriter err) throws IOException {
        try (ImageSession session = new ImageSession().forceShare(share.isGiven());
                ImageFile file = open(session, path);
                CheckFindings findings = new CheckFindings(err, output.progress("checking"))) {
            return Qcow2Check.check(
                    file,
                    mode(),
                    new CheckListener() {
                        @Override
                        public void progress(long done, long total) {
                            findings.progress(done, total);
                        }

                        @Override
                        public void finding(String text) {
                            findings.finding(text);
                        }
                    });
        }
    }

    private ImageFile open(ImageSession session, Path path) {
        try {
            // Leaked clusters are nothing that is read.
            return repair == Repair.leaks
                    ? session.directToKeep(path)
                    : session.direct(path, repair != null);
        } catch (BlockException e) {
            if (e.error() != BlockError.EBUSY) {
                throw e;
            }
            String file = NameText.lastOf(path);
            throw new BlockException(
                    e.error(),
                    e.getMessage()
                            + "; a disk that quoin serves is checked by: quoin disk check "
                            + file.replaceFirst("\\.qcow2$", ""),
                    e);
        }
    }

    private RepairMode mode() {
        if (repair == null) {
            return RepairMode.NONE;
        }
        return repair == Repair.leaks ? RepairMode.LEAKS : RepairMode.ALL;
    }
}
