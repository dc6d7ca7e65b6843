package io.quoin.stripe;

import io.quoin.xlator.FileInfo;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.LoopGroup;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What striped files are like, from what the children say of their parts. One of which parts are
 * missing is there too, as far as it is, so that it can be seen.
 *
 * <p>Threading: thread-safe.
 */
final class StripeListing {
    private final Children children;
    private final LoopGroup loops;

    StripeListing(Children children, LoopGroup loops) {
        this.children = children;
        this.loops = loops;
    }

    /** Sorted by name. */
    CompletionStage<List<FileInfo>> list() {
        return children.callAll(part -> children.get(part).list()).thenCompose(this::merge);
    }

    private CompletionStage<List<FileInfo>> merge(List<List<FileInfo>> lists) {
        Map<String, @Nullable FileInfo[]> byName = new TreeMap<>();
        for (int part = 0; part < lists.size(); part++) {
            for (FileInfo file : lists.get(part)) {
                if (!UnlinkedNames.isOne(file.fileName())) {
                    byName.computeIfAbsent(file.fileName(), name -> new FileInfo[lists.size()])[
                                    part] =
                            file;
                }
            }
        }
        List<FileInfo> files = Collections.synchronizedList(new ArrayList<>());
        return InTurn.each(
                        byName.entrySet(),
                        entry -> merge(entry.getKey(), entry.getValue()).thenAccept(files::add))
                .thenApply(none -> List.copyOf(files));
    }

    /** Of one file; ENOENT if no child has a part of it. */
    CompletionStage<FileInfo> stat(String fileName) {
        Xlator first = children.get(0);
        return children.callAll(part -> Children.unlessMissing(children.get(part).stat(fileName)))
                .thenCompose(
                        found -> {
                            FileInfo[] parts = new FileInfo[found.size()];
                            boolean isThere = false;
                            for (int part = 0; part < parts.length; part++) {
                                if (!found.get(part).isEmpty()) {
                                    parts[part] = found.get(part).get(0);
                                    isThere = true;
                                }
                            }
                            return isThere ? merge(fileName, parts) : first.stat(fileName);
                        });
    }

    private CompletionStage<FileInfo> merge(String fileName, @Nullable FileInfo[] parts) {
        int first = 0;
        while (parts[first] == null) {
            first++;
        }
        int present = first;
        return PartIo.readStart(children.get(present), fileName, loops.next())
                .handle((start, failure) -> merge(fileName, parts, present, start));
    }

    /**
     * @param start the first bytes of the first part that is there; null: they cannot be read
     */
    private FileInfo merge(
            String fileName, @Nullable FileInfo[] parts, int first, @Nullable ByteBuffer start) {
        PartHeader header =
                start == null
                        ? null
                        : PartHeaderLayout.find(start)
                                .filter(found -> PartChecks.isInPlace(children, first, found))
                                .orElse(null);
        StripeMap map = header == null ? null : header.map();
        long sizeBytes = 0;
        long allocatedBytes = 0;
        long stamp = 1;
        for (int part = 0; part < parts.length; part++) {
            FileInfo info = parts[part];
            if (info == null) {
                stamp = 0;
                continue;
            }
            long ownBytes = Math.max(0, info.sizeBytes() - PartHeaderLayout.DATA_OFFSET);
            // Of what is no part, no more is known than that it is there.
            sizeBytes = map == null ? 0 : Math.max(sizeBytes, map.endBytes(part, ownBytes));
            allocatedBytes += info.allocatedBytes();
            stamp = info.changeStamp() == 0 ? 0 : mixed(stamp, info.changeStamp());
        }
        long unfinished =
                start == null || header == null || first > 0
                        ? PartHeaderLayout.NO_RESIZE
                        : PartHeaderLayout.getResize(start);
        FileInfo info = parts[0];
        return new FileInfo(
                fileName,
                unfinished == PartHeaderLayout.NO_RESIZE ? sizeBytes : unfinished,
                allocatedBytes,
                info == null ? 0 : info.fileId(),
                stamp);
    }

    /** Zero stays zero: not known. */
    private static long mixed(long stamp, long next) {
        if (stamp == 0) {
            return 0;
        }
        long mixed = (stamp ^ next) * 0x9E3779B97F4A7C15L;
        mixed ^= mixed >>> 32;
        return mixed == 0 ? 1 : mixed;
    }
}
