package io.quoin.brick.posix;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import java.nio.file.Path;
import java.util.List;

/**
 * {@code storage/posix}: files of a folder.
 *
 * <p>Threading: immutable.
 */
public final class PosixType implements XlatorType {
    static final String TYPE = "storage/posix";

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public OptionTable options() {
        return PosixOptions.TABLE;
    }

    @Override
    public int subvolumesMin() {
        return 0;
    }

    @Override
    public int subvolumesMax() {
        return 0;
    }

    @Override
    public void check(String name, OptionValues options) {
        PosixOptions unused = PosixOptions.of(options, Path.of("/"));
    }

    @Override
    public Xlator create(
            String name, OptionValues options, List<Xlator> subvolumes, GraphContext context) {
        Abi.current(); // a clear error before the first native call on a machine without one
        PosixOptions own = PosixOptions.of(options, context.directory());
        String volumeId = options.string(PosixOptions.VOLUME_ID);
        return volumeId.isEmpty()
                ? open(name, own, context)
                : new MarkedFolder(
                        name,
                        own.directory(),
                        volumeId,
                        context.blocking(),
                        () -> open(name, own, context));
    }

    private static PosixXlator open(String name, PosixOptions options, GraphContext context) {
        return PosixXlator.open(name, options, context.blocking(), SystemCalls::fdatasync);
    }
}
