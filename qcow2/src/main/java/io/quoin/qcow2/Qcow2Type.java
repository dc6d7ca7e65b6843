package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.compress.CompressionWorkers;
import io.quoin.qcow2.open.DetectZeroes;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import java.util.List;
import java.util.function.BiFunction;

/**
 * {@code features/qcow2}: opens files named {@code *.qcow2} as images; others pass through
 * unchanged.
 *
 * <p>Threading: immutable.
 */
public final class Qcow2Type implements XlatorType {
    static final String TYPE = "features/qcow2";
    static final String CACHE_SIZE = "cache-size";
    static final String IMAGES = "images";
    static final String IMAGES_BY_SUFFIX = "suffix";
    static final String IMAGES_ALL = "all";
    static final String DETECT_ZEROES = "detect-zeroes";
    static final String PROTECT_PARENTS = "protect-parents";
    static final String COMPRESSION_THREADS = "compression-threads";

    private static final int THREADS_MAX = 256;

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(
                            CACHE_SIZE,
                            Option.Type.SIZE,
                            "32M",
                            "At most so much of the process's memory for slices of the L2 tables of"
                                    + " one open image; 32M cover 256G of it at a cluster size of"
                                    + " 64K."),
                    Option.choice(
                            IMAGES,
                            List.of(IMAGES_BY_SUFFIX, IMAGES_ALL),
                            IMAGES_BY_SUFFIX,
                            "Which files are images: those named *.qcow2, or all."),
                    Option.choice(
                            DETECT_ZEROES,
                            DetectZeroes.names(),
                            DetectZeroes.OFF.text(),
                            "What becomes of a write of nothing but zeros: data (off), zero clusters"
                                    + " (on), or zero clusters that give their space back (unmap)."),
                    Option.of(
                            PROTECT_PARENTS,
                            Option.Type.BOOLEAN,
                            "on",
                            "Whether files that images of the volume stand on are kept from being"
                                    + " written, removed and renamed."),
                    Option.of(
                            COMPRESSION_THREADS,
                            Option.Type.INTEGER,
                            "0",
                            "Threads for compressed clusters, shared by all images; 0: one for each"
                                    + " processor."));

    private final BiFunction<String, Integer, CompressionWorkers> workers;

    public Qcow2Type() {
        this(CompressionWorkers::ofThreads);
    }

    /**
     * @param workers makes them, given a name and the number of threads
     */
    Qcow2Type(BiFunction<String, Integer, CompressionWorkers> workers) {
        this.workers = workers;
    }

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public OptionTable options() {
        return OPTIONS;
    }

    @Override
    public int subvolumesMin() {
        return 1;
    }

    @Override
    public int subvolumesMax() {
        return 1;
    }

    @Override
    public void check(String name, OptionValues options) {
        threads(name, options.integer(COMPRESSION_THREADS));
    }

    @Override
    public Xlator create(
            String name, OptionValues options, List<Xlator> subvolumes, GraphContext context) {
        return new Qcow2Xlator(
                name,
                subvolumes.get(0),
                context.loops(),
                options.bool(PROTECT_PARENTS),
                context.memory(),
                options.sizeBytes(CACHE_SIZE),
                options.string(IMAGES).equals(IMAGES_ALL),
                DetectZeroes.of(options.string(DETECT_ZEROES)),
                workers.apply(name, threads(name, options.integer(COMPRESSION_THREADS))));
    }

    private static int threads(String name, long wanted) {
        if (wanted < 0 || wanted > THREADS_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    name
                            + ": "
                            + COMPRESSION_THREADS
                            + ": expected=0 to "
                            + THREADS_MAX
                            + ", actual="
                            + wanted);
        }
        return wanted == 0 ? Runtime.getRuntime().availableProcessors() : (int) wanted;
    }
}
