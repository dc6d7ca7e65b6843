package io.quoin.replicate.wire;

import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.security.GeneralSecurityException;
import java.util.Locale;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Why a connection failed, in words.
 *
 * <p>Threading: immutable.
 */
final class WireReason {
    private static final int SHOWN_CHARS_MAX = 300;

    private WireReason() {}

    /** What the other side has said, fit for a line. */
    static String shown(String said) {
        return NameText.printable(said.substring(0, Math.min(said.length(), SHOWN_CHARS_MAX)));
    }

    static String of(Throwable failure) {
        Throwable cause =
                failure instanceof DecoderException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        if (cause instanceof NotSslRecordException) {
            return "the other side does not speak TLS";
        }
        if (!(cause instanceof SSLException)) {
            return Reason.of(cause);
        }
        String text = text(cause);
        if (text.contains("received fatal alert")) {
            return "the other side refuses TLS with this certificate: " + cause.getMessage();
        }
        if (text.contains("empty client certificate chain")) {
            return "no certificate from the other side";
        }
        if (text.contains("subject alternative") || text.contains("no name matching")) {
            return "the certificate of the other side does not name its address";
        }
        return isSecurity(cause)
                ? "the certificate of the other side is not trusted: expected=signed by the CA, and"
                        + " valid now"
                : "TLS failed: " + Reason.of(cause);
    }

    private static boolean isSecurity(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof GeneralSecurityException) {
                return true;
            }
        }
        return false;
    }

    /** The messages of it and its causes. */
    private static String text(Throwable failure) {
        StringBuilder text = new StringBuilder();
        for (@Nullable Throwable cause = failure; cause != null; cause = cause.getCause()) {
            text.append(cause.getMessage()).append('\n');
        }
        return text.toString().toLowerCase(Locale.ROOT);
    }
}
