package io.quoin.qcow2.compress;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * Raw deflate (RFC 1951) without the zlib header. QEMU writes it with a window of 4 KiB and reads
 * any window.
 *
 * <p>Threading: confined to one thread at a time.
 */
final class DeflateCodec extends Codec {
    private final Inflater inflater = new Inflater(true);
    private final Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);

    @Override
    boolean decompress(ByteBuffer source, ByteBuffer target) {
        inflater.reset();
        inflater.setInput(source);
        try {
            while (target.hasRemaining()) {
                if (inflater.inflate(target) == 0) {
                    // Its end, a dictionary asked for, or no more input.
                    return false;
                }
            }
            return true;
        } catch (DataFormatException e) {
            return false;
        } finally {
            // Lets go of the buffer, which belongs to the caller.
            inflater.reset();
        }
    }

    @Override
    int compress(ByteBuffer source, ByteBuffer target) {
        int start = target.position();
        deflater.reset();
        deflater.setInput(source);
        deflater.finish();
        while (!deflater.finished() && target.hasRemaining()) {
            if (deflater.deflate(target) == 0) {
                break;
            }
        }
        boolean whole = deflater.finished();
        deflater.reset();
        return whole ? target.position() - start : TOO_LONG;
    }

    @Override
    void close() {
        inflater.end();
        deflater.end();
    }
}
