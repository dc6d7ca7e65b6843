package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoRequest;
import io.quoin.block.Reason;

/**
 * What is said of a request that failed.
 *
 * <p>Threading: immutable.
 */
final class ImageFailure {
    /** Under this name a file's details say why it fails everything. */
    static final String REASON = "failure";

    private ImageFailure() {}

    /** To be called on the image's loop. */
    static BlockException of(OpenedImage image, IoRequest request, BlockError error) {
        return of(image, what(request), request.offsetBytes(), request.lengthBytes(), error);
    }

    /**
     * Of a request to the image's file itself, whose name is in front, as what is read tells it.
     */
    static BlockException ofFile(OpenedImage image, IoRequest request, BlockError error) {
        return new BlockException(
                        error,
                        what(request)
                                + " failed: hostOffset="
                                + request.offsetBytes()
                                + ", length="
                                + request.lengthBytes()
                                + ", error="
                                + error.text()
                                + reason(image))
                .about(image.location().text());
    }

    private static String what(IoRequest request) {
        return request.op().name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    }

    private static String reason(OpenedImage image) {
        Object reason = image.file().details().get(REASON);
        return reason == null ? "" : ", reason=" + reason;
    }

    static BlockException of(
            OpenedImage image, String what, long offsetBytes, long lengthBytes, BlockError error) {
        return new BlockException(
                error,
                what
                        + " failed: image="
                        + image.location().text()
                        + ", offset="
                        + offsetBytes
                        + ", length="
                        + lengthBytes
                        + ", error="
                        + error.text()
                        + reason(image));
    }

    /** Of a request that was refused by an exception, which is a fault of Quoin's. */
    static BlockException unexpected(OpenedImage image, Throwable cause) {
        return new BlockException(
                BlockError.EIO,
                "request failed unexpectedly: image="
                        + image.location().text()
                        + ", reason="
                        + Reason.of(cause),
                cause);
    }
}
