package io.quoin.qcow2.check;

import io.quoin.qcow2.layout.Qcow2Header;

/**
 * Checks the consistency of an image that nobody has open, as {@code qemu-img check} does and
 * somewhat more strictly, and repairs it. Work is in proportion to the tables of the image and its
 * snapshots, memory to the clusters in use.
 *
 * <p>A repair changes refcounts, COPIED flags and reserved bits, never data or what a reader sees.
 * Nothing is taken for leaked while a broken table may hide references to it.
 *
 * <p>Threading: confined to its caller; one check of a file at a time.
 */
public final class Qcow2Check {
    /**
     * Bounds the memory for reference counts; 1 GiB is enough for 500 TiB in clusters of 64 KiB.
     */
    public static final long MEMORY_BYTES_MAX = 1L << 30;

    private final ImageFile file;
    private final RepairMode mode;
    private final CheckListener listener;
    private final long memoryBytesMax;

    private Qcow2Check(
            ImageFile file, RepairMode mode, CheckListener listener, long memoryBytesMax) {
        this.file = file;
        this.mode = mode;
        this.listener = listener;
        this.memoryBytesMax = memoryBytesMax;
    }

    /**
     * Checks, and repairs what {@code mode} allows.
     *
     * @return what was found; with a repair, {@code corruptions} and {@code leaks} are what a
     *     second look still finds
     * @throws io.quoin.block.BlockException EINVAL or ENOTSUP for a header that cannot be used, EIO
     *     where the file cannot be read or written, ENOMEM where it needs more memory than allowed
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
        return new Qcow2Check(file, mode, listener, memoryBytesMax).run();
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
        CheckImage image = CheckImage.open(file);
        if (mode == RepairMode.NONE) {
            return pass(image, RepairMode.NONE, listener).toResult(image.header);
        }
        clearUnknownAutoclear(image);
        CheckReport first = pass(image, mode, listener);
        boolean rebuilt = mode == RepairMode.ALL && first.rebuild && !first.referencesHidden;
        CheckReport second =
                rebuilt ? pass(CheckImage.open(file), mode, CheckListener.SILENT) : first;
        image = CheckImage.open(file);
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
        if (mode == RepairMode.ALL && last.corruptions == 0 && last.checkErrors == 0) {
            clearDirtyAndCorrupt(image);
        }
        return last.toResult(image.header);
    }

    /** One look at everything; the refcounts are rebuilt in it where that is needed and allowed. */
    private CheckReport pass(CheckImage image, RepairMode passMode, CheckListener passListener) {
        CheckReport report = new CheckReport(passListener);
        ReferenceCounts counts = new ReferenceCounts(memoryBytesMax);
        ReferenceWalk walk = new ReferenceWalk(image, counts, report, passMode == RepairMode.ALL);
        walk.walk();
        RefcountCompare compare = new RefcountCompare(image, counts, report, passMode);
        compare.compare();
        if (report.rebuild && passMode == RepairMode.ALL) {
            if (!report.referencesHidden) {
                report.note("Rebuilding the refcount structure");
                new RefcountRebuild(image, counts).rebuild(walk.refcountClusters());
                return report;
            }
            report.note(
                    "the refcount structure cannot be rebuilt while a broken table hides references");
        }
        new CopiedCheck(image, compare.countIsOne(), report, passMode == RepairMode.ALL).check();
        return report;
    }

    private static void clearUnknownAutoclear(CheckImage image) {
        Qcow2Header header = image.header;
        if (header.version() >= 3
                && (header.autoclearFeatures() & ~Qcow2Header.AUTOCLEAR_KNOWN) != 0) {
            image.writeFeatures(
                    header.incompatibleFeatures(),
                    header.autoclearFeatures() & Qcow2Header.AUTOCLEAR_KNOWN);
        }
    }

    private static void clearDirtyAndCorrupt(CheckImage image) {
        Qcow2Header header = image.header;
        if (header.isDirty() || header.isCorrupt()) {
            image.writeFeatures(
                    header.incompatibleFeatures() & ~(Qcow2Header.DIRTY | Qcow2Header.CORRUPT),
                    header.autoclearFeatures());
        }
    }
}
