package io.quoin.testkit.peer;

import java.util.ArrayList;
import java.util.List;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Prints at the end of a module's tests which of them were skipped, and why. JUnit finds it as a
 * service wherever testkit is on the class path.
 *
 * <p>Threading: thread-safe.
 */
public final class SkippedTests implements TestExecutionListener {
    private final List<String> skipped = new ArrayList<>();

    @Override
    public synchronized void executionSkipped(TestIdentifier test, String reason) {
        skipped.add(name(test) + ": " + reason);
    }

    @Override
    public synchronized void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
            String reason = result.getThrowable().map(Throwable::getMessage).orElse("no reason");
            skipped.add(name(test) + ": " + reason);
        }
    }

    @Override
    public synchronized void testPlanExecutionFinished(TestPlan plan) {
        if (!skipped.isEmpty()) {
            System.out.println(report(skipped));
            skipped.clear();
        }
    }

    static String report(List<String> skipped) {
        StringBuilder report = new StringBuilder("Skipped tests (" + skipped.size() + "):");
        skipped.forEach(line -> report.append("\n  skipped ").append(line));
        return report.toString();
    }

    private static String name(TestIdentifier test) {
        return test.getSource()
                .map(
                        source -> {
                            if (source instanceof MethodSource method) {
                                return simpleName(method.getClassName())
                                        + "."
                                        + method.getMethodName();
                            }
                            if (source instanceof ClassSource type) {
                                return simpleName(type.getClassName()) + " (all of it)";
                            }
                            return test.getDisplayName();
                        })
                .orElse(test.getDisplayName());
    }

    private static String simpleName(String className) {
        return className.substring(className.lastIndexOf('.') + 1);
    }
}
