package io.quoin.qcow2.cluster;

import io.quoin.block.IoRequestPool;
import io.quoin.qcow2.cache.MappingFlusher;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.compress.ClusterCompressor;
import io.quoin.qcow2.compress.ClusterReader;
import io.quoin.qcow2.compress.StreamPacker;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.refcount.Refcounts;
import io.quoin.xlator.range.RangeLocks;

/**
 * The parts of an open image that requests work on. It does nothing by itself.
 *
 * <p>Threading: confined(loop).
 */
final class MappedImage {
    final ImageIo io;
    final ImageHealth health;
    final HeaderStore header;
    final MappingTables tables;
    final MappingFlusher flusher;
    final Refcounts refcounts;
    final EntryForm form;
    final GuestDisk disk;
    final HostClusters host;
    final int version;
    final int clusterBits;
    final int clusterSizeBytes;
    final RangeLocks locks = new RangeLocks();
    final MappedRun run;
    final CowBuffers cowBuffers;
    final ClusterReader compressed;
    final ClusterCompressor compressor;
    final StreamPacker packer;
    final IoRequestPool pool;

    MappedImage(ImageParts parts) {
        Qcow2Header now = parts.header().header();
        this.io = parts.io();
        this.health = io.health();
        this.header = parts.header();
        this.tables = parts.tables();
        this.flusher = parts.flusher();
        this.refcounts = parts.refcounts();
        this.form = new EntryForm(now);
        this.disk = new GuestDisk(io, now, parts.backing());
        this.version = now.version();
        this.clusterBits = now.clusterBits();
        this.clusterSizeBytes = now.clusterSizeBytes();
        this.run = new MappedRun(io, tables, form, version);
        this.cowBuffers = parts.cowBuffers();
        this.compressed = new ClusterReader(io, now, parts.workers());
        this.compressor = new ClusterCompressor(io.loop(), now, parts.workers());
        this.packer =
                new StreamPacker(
                        refcounts, clusterBits, io.file().geometry().blockSizeMin(), flusher::drop);
        this.host = new HostClusters(io, flusher, compressed, form);
        this.pool = io.loop().requests();
    }
}
