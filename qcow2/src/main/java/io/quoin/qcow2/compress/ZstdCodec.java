package io.quoin.qcow2.compress;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;

/**
 * One or more zstd frames (RFC 8878).
 *
 * <p>Frames are decompressed in one go, straight into the target, which needs no memory for a
 * window whatever a frame's header claims. A frame that goes on behind the end of the cluster, or
 * is cut off there, is streamed.
 *
 * <p>Threading: confined to one thread at a time.
 */
final class ZstdCodec extends Codec {
    private final ZstdDecompressCtx decompressor = new ZstdDecompressCtx();
    private final ZstdCompressCtx compressor = new ZstdCompressCtx();

    ZstdCodec() {
        compressor.setLevel(Zstd.defaultCompressionLevel());
    }

    @Override
    boolean decompress(ByteBuffer source, ByteBuffer target) {
        while (target.hasRemaining()) {
            int from = source.position();
            long frameBytes =
                    Zstd.findDirectByteBufferFrameCompressedSize(source, from, source.remaining());
            if (Zstd.isError(frameBytes)
                    || frameBytes <= 0
                    || frameBytes > source.remaining()
                    || !decompressFrame(source, (int) frameBytes, target)) {
                source.position(from);
                return stream(source, target);
            }
        }
        return true;
    }

    private boolean decompressFrame(ByteBuffer source, int frameBytes, ByteBuffer target) {
        try {
            int length =
                    decompressor.decompressDirectByteBuffer(
                            target,
                            target.position(),
                            target.remaining(),
                            source,
                            source.position(),
                            frameBytes);
            target.position(target.position() + length);
            source.position(source.position() + frameBytes);
            return true;
        } catch (ZstdException e) {
            return false;
        }
    }

    private static boolean stream(ByteBuffer source, ByteBuffer target) {
        // Not kept: such a frame decides how much memory it takes.
        try (ZstdDecompressCtx context = new ZstdDecompressCtx()) {
            while (target.hasRemaining() && source.hasRemaining()) {
                int before = target.remaining() + source.remaining();
                context.decompressDirectByteBufferStream(target, source);
                if (target.remaining() + source.remaining() == before) {
                    return false;
                }
            }
            return !target.hasRemaining();
        } catch (ZstdException e) {
            return false;
        }
    }

    @Override
    int compress(ByteBuffer source, ByteBuffer target) {
        try {
            int length =
                    compressor.compressDirectByteBuffer(
                            target,
                            target.position(),
                            target.remaining(),
                            source,
                            source.position(),
                            source.remaining());
            target.position(target.position() + length);
            source.position(source.limit());
            return length;
        } catch (ZstdException e) {
            return TOO_LONG;
        }
    }

    @Override
    void close() {
        decompressor.close();
        compressor.close();
    }
}
