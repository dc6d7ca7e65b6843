package io.quoin.testkit.log;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Fails a test after which there are errors in the log, or threads that ended in an exception, that
 * it does not expect by {@link LogsErrors}. On for every test whose module has the test kit.
 *
 * <p>Threading: thread-safe.
 */
public final class NoUncaughtErrors
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
    @Override
    public void beforeAll(ExtensionContext context) {
        Thread.setDefaultUncaughtExceptionHandler(
                (thread, cause) -> {
                    if (!ErrorLog.instance().add("thread " + thread.getName(), cause)) {
                        cause.printStackTrace();
                    }
                });
        ErrorLog.instance().expect(expected(context));
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        ErrorLog.instance().expect(expected(context));
    }

    @Override
    public void afterEach(ExtensionContext context) {
        check();
    }

    /** What a test's threads did after it, and what the class itself did. */
    @Override
    public void afterAll(ExtensionContext context) {
        check();
    }

    private static void check() {
        List<String> errors = ErrorLog.instance().take();
        if (!errors.isEmpty()) {
            throw new AssertionError(
                    "errors that the test does not expect, see @LogsErrors: "
                            + String.join("; ", errors));
        }
    }

    /** Those of the method, of its class and of the classes around that. */
    private static List<String> expected(ExtensionContext context) {
        List<String> texts = new ArrayList<>();
        context.getTestMethod().ifPresent(method -> texts.addAll(named(method)));
        context.getTestClass().ifPresent(type -> texts.addAll(named(type)));
        context.getEnclosingTestClasses().forEach(type -> texts.addAll(named(type)));
        return texts;
    }

    private static List<String> named(java.lang.reflect.AnnotatedElement element) {
        return AnnotationSupport.findAnnotation(element, LogsErrors.class)
                .map(errors -> Arrays.asList(errors.value()))
                .orElse(List.of());
    }
}
