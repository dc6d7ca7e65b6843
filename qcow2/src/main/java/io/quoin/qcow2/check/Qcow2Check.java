package io.quoin.qcow2.check;

import io.quoin.block.BlockException;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.Qcow2Header;
import org.jspecify.annotations.Nullable;

/**
 * Checks the consistency of an image that is not open, as {@code qemu-img check} does and somewhat
 * more strictly, and repairs it. Work is in proportion to the tables of the image and its
 * snapshots, memory to the clusters in use.
 *
 * <p>A repair changes refcounts, COPIED flags and reserved bits, and gives a copy of their own to
 * references that share a cluster with something else; never data or what a reader sees. Nothing is
 * taken for leaked while a broken table may hide references to it. What refers to a cluster is
 * stable before a count goes down, a count that goes up before anything new relies on it.
 *
 * <p>L2 tables are read by several threads as long as nothing is found; if something is, the pass
 * is made again in order, so that findings and repairs are the same with any number of threads.
 *
 * <p>Threading: confined to its caller; one check of a file at a time.
 */
public final class Qcow2Check {
    /**
     * Bounds the memory for reference counts; 1 GiB is enough for 500 TiB in clusters of 64 KiB.
     */
    public static final long MEMORY_BYTES_MAX = 1L << 30;

    /** What part of that is there besides for the references that are to be moved. */
    private static final int MEMORY_PART = 4;

    private static final int THREADS_MAX = 8;

    /** Smaller images are checked before threads have started. */
    private static final int TABLES_MIN = 16;

    private final ImageFile file;
    private final RepairMode mode;
    private final CheckListener listener;
    private final long memoryBytesMax;
    private final int threads;
    private final int tablesMin;

    private Qcow2Check(
            ImageFile file,
            RepairMode mode,
            CheckListener listener,
            long memoryBytesMax,
            int threads,
            int tablesMin) {
        this.file = file;
        this.mode = mode;
        this.listener = listener;
        this.memoryBytesMax = memoryBytesMax;
        this.threads = threads;
        this.tablesMin = tablesMin;
    }

    /**
     * Checks, and repairs what {@code mode} allows.
     *
     * @return what was found; with a repair, {@code corruptions} and {@code leaks} are what a
     *     second look still finds
     * @throws BlockException EINVAL or ENOTSUP for a header that cannot be used, EIO where the file
     *     cannot be read or written, ENOMEM where it needs more memory than allowed
     */
    public static CheckResult check(ImageFile file, RepairMode mode, CheckListener listener) {
        return check(
                file,
                mode,
                listener,
                Math.min(MEMORY_BYTES_MAX, Runtime.getRuntime().maxMemory() / 2));
    }

    /**
     * As {@link #check(ImageFile, RepairMode, CheckListener)}, with a bound for the memory of
     * reference counts.
     */
    public static CheckResult check(
            ImageFile file, RepairMode mode, CheckListener listener, long memoryBytesMax) {
        int threads = Math.min(THREADS_MAX, Runtime.getRuntime().availableProcessors());
        return check(file, mode, listener, memoryBytesMax, threads, TABLES_MIN);
    }

    /** As above, by {@code threads} for images of {@code tablesMin} or more L1 entries. */
    static CheckResult check(
            ImageFile file,
            RepairMode mode,
            CheckListener listener,
            long memoryBytesMax,
            int threads,
            int tablesMin) {
        try {
            return new Qcow2Check(file, mode, listener, memoryBytesMax, threads, tablesMin).run();
        } catch (BlockException e) {
            throw e.about(file.name());
        }
    }

    /**
     * Checks an image that is open, from a view of it that does not change; {@code listener} says
     * which clusters are counted ahead. One thread reads, so that others come first.
     */
    public static CheckResult checkOpen(
            ImageFile view, CheckListener listener, long memoryBytesMax) {
        return check(view, RepairMode.NONE, listener, memoryBytesMax, 1, TABLES_MIN);
    }

    /**
     * Makes the refcounts of an image right that was not closed cleanly (lazy refcounts) and clears
     * its dirty bit; the image may be opened for writing afterwards if the result has no
     * corruptions and no check errors.
     */
    public static CheckResult settleDirty(ImageFile file, CheckListener listener) {
        return check(file, RepairMode.ALL, listener);
    }

    private CheckResult run() {
        ClosedImage image = ClosedImage.openForRepair(file);
        if (mode == RepairMode.NONE) {
            return pass(image, RepairMode.NONE, listener).toResult(image.header);
        }
        clearUnknownAutoclear(image);
        CheckReport first = pass(image, mode, listener);
        boolean rebuilt = mode == RepairMode.ALL && first.rebuild && !first.referencesHidden;
        CheckReport second =
                rebuilt ? pass(ClosedImage.open(file), mode, CheckListener.SILENT) : first;
        image = ClosedImage.openForRepair(file);
        image.flush();
        CheckReport last = pass(image, RepairMode.NONE, CheckListener.SILENT);
        long corruptions = first.corruptions + first.corruptionsFixed;
        long leaks = first.leaks + first.leaksFixed;
        if (second != first) {
            corruptions += second.corruptionsFixed;
            leaks += second.leaksFixed;
        }
        last.corruptionsFixed = Math.max(0, corruptions - last.corruptions);
        last.leaksFixed = Math.max(0, leaks - last.leaks);
        if (last.corruptions == 0 && last.checkErrors == 0) {
            clearDirtyAndCorrupt(image);
        }
        return last.toResult(image.header);
    }

    /** One look at everything; the refcounts are rebuilt in it where that is needed and allowed. */
    private CheckReport pass(ClosedImage image, RepairMode passMode, CheckListener passListener) {
        // One set for each look in turn: it may take half of the memory that there is.
        ReferenceCounts counts = new ReferenceCounts(memoryBytesMax);
        try (TableWorkers workers = workersFor(image)) {
            Counted counted =
                    workers == null ? null : countSideBySide(image, counts, workers, passListener);
            if (counted != null) {
                return judge(image, passMode, counted, true);
            }
        }
        if (passMode != RepairMode.ALL) {
            return judge(image, passMode, countInOrder(image, counts, false, passListener), false);
        }
        OverlapRepair overlaps =
                new OverlapRepair(image, counts, memoryBytesMax / MEMORY_PART, passListener).run();
        Counted counted =
                countInOrder(overlaps.image(), counts, overlaps.isComplete(), passListener);
        counted.report.corruptionsFixed += overlaps.repaired();
        return judge(overlaps.image(), passMode, counted, false);
    }

    private @Nullable TableWorkers workersFor(ClosedImage image) {
        return threads > 1 && image.header.l1Size() >= tablesMin ? new TableWorkers(threads) : null;
    }

    /** Null if there is anything to be told or repaired, which is done in order. */
    private @Nullable Counted countSideBySide(
            ClosedImage image,
            ReferenceCounts counts,
            TableWorkers workers,
            CheckListener passListener) {
        CheckListener irregular =
                new CheckListener() {
                    @Override
                    public void progress(long done, long total) {
                        passListener.progress(done, total);
                    }

                    @Override
                    public void finding(String text) {
                        throw new FindingException();
                    }
                };
        CheckReport report = new CheckReport(irregular);
        ReferenceWalk walk = new ReferenceWalk(image, counts, report, false, workers);
        try {
            walk.walk();
        } catch (FindingException e) {
            return null;
        }
        return new Counted(report.toldTo(passListener), counts, walk);
    }

    private Counted countInOrder(
            ClosedImage image, ReferenceCounts counts, boolean repair, CheckListener passListener) {
        counts.clear();
        CheckReport report = new CheckReport(passListener);
        ReferenceWalk walk = new ReferenceWalk(image, counts, report, repair, null);
        walk.walk();
        return new Counted(report, counts, walk);
    }

    private static CheckReport judge(
            ClosedImage image, RepairMode passMode, Counted counted, boolean sideBySide) {
        CheckReport report = counted.report;
        ReferenceCounts counts = counted.counts;
        image.settle();
        RefcountCompare compare = new RefcountCompare(image, counts, report, passMode);
        compare.compare();
        image.settle();
        if (report.rebuild && passMode == RepairMode.ALL) {
            if (!report.referencesHidden) {
                report.note("Rebuilding the refcount structure");
                new RefcountRebuild(image, counts).rebuild(counted.walk.refcountClusters());
                return report;
            }
            report.note(
                    "the refcount structure cannot be rebuilt while a broken table hides references");
        }
        boolean repair = passMode != RepairMode.NONE && mayCorrectCopied(report, passMode);
        // A count of 1 that may be too low does not say that nothing else has the cluster.
        boolean trusted = !report.countsTooLow && !report.rebuild && !report.referencesHidden;
        boolean maySet = repair && trusted;
        CopiedCheck copied = new CopiedCheck(image, compare.countIsOne(), report, repair, maySet);
        if (!sideBySide || !counts.isCopiedRight(compare.countIsOne())) {
            copied.check();
        }
        return report;
    }

    /** Not in what may be something else; with the leaks alone only when all counts are right. */
    private static boolean mayCorrectCopied(CheckReport report, RepairMode passMode) {
        boolean all = passMode == RepairMode.ALL && report.overlaps == 0;
        return all || (report.corruptions == 0 && report.leaks == 0 && report.checkErrors == 0);
    }

    private record Counted(CheckReport report, ReferenceCounts counts, ReferenceWalk walk) {}

    private static void clearUnknownAutoclear(ClosedImage image) {
        Qcow2Header header = image.header;
        if (header.version() >= 3
                && (header.autoclearFeatures() & ~Qcow2Header.AUTOCLEAR_KNOWN) != 0) {
            image.writeFeatures(
                    header.incompatibleFeatures(),
                    header.autoclearFeatures() & Qcow2Header.AUTOCLEAR_KNOWN);
        }
    }

    private static void clearDirtyAndCorrupt(ClosedImage image) {
        Qcow2Header header = image.header;
        if (header.isDirty() || header.isCorrupt()) {
            image.writeFeatures(
                    header.incompatibleFeatures() & ~(Qcow2Header.DIRTY | Qcow2Header.CORRUPT),
                    header.autoclearFeatures());
        }
    }
}
