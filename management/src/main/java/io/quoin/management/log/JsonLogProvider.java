package io.quoin.management.log;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Logger;
import org.slf4j.event.Level;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * Logs JSON on standard error. It is chosen by {@code -Dslf4j.provider}, before the first logger is
 * made; the level is that of SLF4J's simple one.
 *
 * <p>Threading: thread-safe once initialized.
 */
public final class JsonLogProvider implements SLF4JServiceProvider {
    private static final String LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

    /** What this was written for. */
    private static final String API_VERSION = "2.0.99";

    private final Map<String, Logger> loggers = new ConcurrentHashMap<>();
    private final IMarkerFactory markers = new BasicMarkerFactory();
    private final MDCAdapter context = new NOPMDCAdapter();

    @Override
    public void initialize() {
        loggers.clear();
    }

    @Override
    public ILoggerFactory getLoggerFactory() {
        return name -> loggers.computeIfAbsent(name, JsonLogProvider::logger);
    }

    private static Logger logger(String name) {
        String level = System.getProperty(LEVEL, "info").toUpperCase(Locale.ROOT);
        return new JsonLogger(name, System.err, Level.valueOf(level));
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markers;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return context;
    }

    @Override
    public String getRequestedApiVersion() {
        return API_VERSION;
    }
}
