package io.quoin.qcow2.cluster;

import io.quoin.qcow2.bitmap.ImageBitmaps;
import io.quoin.qcow2.cache.MappingFlusher;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.compress.CompressionWorkers;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.refcount.Refcounts;
import io.quoin.xlator.XlatorFile;
import org.jspecify.annotations.Nullable;

/**
 * What an open image is put together from.
 *
 * <p>Threading: immutable.
 *
 * @param backing what unallocated clusters read as; null: zeros
 * @param workers where compressed clusters are decompressed
 * @param cowBuffers those of the loop and the size of clusters
 * @param giveTablesBack ends the claim on memory for what stays while the image is open
 */
public record ImageParts(
        ImageIo io,
        HeaderStore header,
        MappingTables tables,
        MappingFlusher flusher,
        Refcounts refcounts,
        WriteGate gate,
        ImageBitmaps bitmaps,
        @Nullable XlatorFile backing,
        CompressionWorkers workers,
        CowBuffers cowBuffers,
        Runnable giveTablesBack) {}
