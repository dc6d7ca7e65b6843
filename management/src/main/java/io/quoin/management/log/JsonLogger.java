package io.quoin.management.log;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.xlator.NameText;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/**
 * A logger whose lines are JSON objects: {@code time}, {@code level}, {@code logger}, {@code
 * thread}, {@code message}, and {@code exception} where there is one.
 *
 * <p>Threading: thread-safe.
 */
final class JsonLogger extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final transient PrintStream out;
    private final Level lowest;

    /**
     * @param lowest what is below is left out
     */
    JsonLogger(String name, PrintStream out, Level lowest) {
        this.name = name;
        this.out = out;
        this.lowest = lowest;
    }

    private boolean isEnabled(Level level) {
        return level.toInt() >= lowest.toInt();
    }

    @Override
    public boolean isTraceEnabled() {
        return isEnabled(Level.TRACE);
    }

    @Override
    public boolean isDebugEnabled() {
        return isEnabled(Level.DEBUG);
    }

    @Override
    public boolean isInfoEnabled() {
        return isEnabled(Level.INFO);
    }

    @Override
    public boolean isWarnEnabled() {
        return isEnabled(Level.WARN);
    }

    @Override
    public boolean isErrorEnabled() {
        return isEnabled(Level.ERROR);
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level,
            @Nullable Marker marker,
            String pattern,
            Object @Nullable [] arguments,
            @Nullable Throwable failure) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        line.put("level", level.name());
        line.put("logger", name);
        line.put("thread", Thread.currentThread().getName());
        line.put("message", MessageFormatter.basicArrayFormat(pattern, arguments));
        if (failure != null) {
            StringWriter trace = new StringWriter();
            failure.printStackTrace(new PrintWriter(trace, true));
            line.put("exception", trace.toString());
        }
        out.println(text(line));
    }

    private static String text(Map<String, Object> line) {
        try {
            return NameText.json(JSON.writeValueAsString(line));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts have a form in JSON", e);
        }
    }
}
