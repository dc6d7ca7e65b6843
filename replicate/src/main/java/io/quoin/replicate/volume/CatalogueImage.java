package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.SortedMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The names of a volume that no process has mounted.
 *
 * <p>Threading: confined to its thread; blocks as its reader does.
 */
public final class CatalogueImage {
    /** The file that has the names. */
    public static final UUID FILE = LinkedFiles.CATALOGUE;

    private CatalogueImage() {}

    /** Reads the file of the names; zeros past its end. */
    public interface Reader {
        byte[] read(long offsetBytes, int lengthBytes);
    }

    /**
     * The names and the files that they lead to.
     *
     * @throws BlockException EIO if none can be read
     */
    public static SortedMap<String, UUID> names(Reader reader) {
        CatalogueSlot newest = Catalogue.newer(slot(reader, 0), slot(reader, 1));
        if (newest == null) {
            throw new BlockException(BlockError.EIO, "no names of files can be read");
        }
        return newest.names();
    }

    private static @Nullable CatalogueSlot slot(Reader reader, long generation) {
        long offset = CatalogueSlot.offsetBytes(generation);
        int length = CatalogueSlot.lengthBytes(reader.read(offset, CatalogueSlot.HEADER_BYTES));
        return length == 0 ? null : CatalogueSlot.decode(reader.read(offset, length));
    }
}
