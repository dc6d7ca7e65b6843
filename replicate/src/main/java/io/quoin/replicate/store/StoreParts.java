package io.quoin.replicate.store;

import io.quoin.replicate.Geometry;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;

/**
 * What the files of a brick share.
 *
 * <p>Threading: confined(loop).
 */
record StoreParts(
        Xlator below,
        Loop loop,
        FileIo io,
        Geometry geometry,
        Checksums checksums,
        SpaceGuard space,
        SyncMark mark,
        MetadataLog log,
        RecordCodec codec) {}
