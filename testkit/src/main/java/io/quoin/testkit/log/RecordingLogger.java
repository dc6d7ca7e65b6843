package io.quoin.testkit.log;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.AbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/**
 * Passes on what is logged, and takes down errors. What Netty says of a task that ended in an
 * exception is one, though it calls that a warning.
 *
 * <p>Threading: thread-safe.
 */
final class RecordingLogger extends AbstractLogger {
    private static final long serialVersionUID = 1;
    private static final String NETTY = "io.netty.";

    private final transient Logger below;

    RecordingLogger(Logger below) {
        this.below = below;
        this.name = below.getName();
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level,
            @Nullable Marker marker,
            String pattern,
            Object @Nullable [] arguments,
            @Nullable Throwable cause) {
        boolean isError =
                level == Level.ERROR
                        || (level == Level.WARN && cause != null && name.startsWith(NETTY));
        String text = MessageFormatter.basicArrayFormat(pattern, arguments);
        if (!isError || !ErrorLog.instance().add(name + ": " + text, cause)) {
            below.atLevel(level).setCause(cause).log(text);
        }
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    public boolean isTraceEnabled() {
        return below.isTraceEnabled();
    }

    @Override
    public boolean isTraceEnabled(Marker marker) {
        return below.isTraceEnabled();
    }

    @Override
    public boolean isDebugEnabled() {
        return below.isDebugEnabled();
    }

    @Override
    public boolean isDebugEnabled(Marker marker) {
        return below.isDebugEnabled();
    }

    @Override
    public boolean isInfoEnabled() {
        return below.isInfoEnabled();
    }

    @Override
    public boolean isInfoEnabled(Marker marker) {
        return below.isInfoEnabled();
    }

    @Override
    public boolean isWarnEnabled() {
        return below.isWarnEnabled();
    }

    @Override
    public boolean isWarnEnabled(Marker marker) {
        return below.isWarnEnabled();
    }

    @Override
    public boolean isErrorEnabled() {
        return true;
    }

    @Override
    public boolean isErrorEnabled(Marker marker) {
        return true;
    }
}
