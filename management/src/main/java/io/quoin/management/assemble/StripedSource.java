package io.quoin.management.assemble;

import io.quoin.stripe.StripedPart;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A file whose blocks lie in several parts.
 *
 * @param parts all of them, in order
 */
record StripedSource(StripedPart layout, List<SourceFile> parts, long sizeBytes)
        implements SourceFile {
    static StripedSource of(StripedPart first, List<SourceFile> parts) {
        List<Long> sizes = parts.stream().map(SourceFile::sizeBytes).toList();
        return new StripedSource(first, List.copyOf(parts), first.fileBytes(sizes));
    }

    @Override
    public void read(long offsetBytes, ByteBuffer into) {
        long at = offsetBytes;
        int limit = into.limit();
        while (into.hasRemaining()) {
            int length = (int) Math.min(into.remaining(), layout.blockEndBytes(at) - at);
            into.limit(into.position() + length);
            parts.get(layout.partOf(at)).read(layout.offsetInPart(at), into);
            into.limit(limit);
            at += length;
        }
    }

    @Override
    public void close() {
        parts.forEach(SourceFile::close);
    }
}
