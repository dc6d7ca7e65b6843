package io.quoin.testkit.peer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    /** One line for each test and reason, however many parameters it has. */
    static String report(List<String> skipped) {
        Map<String, Integer> times = new LinkedHashMap<>();
        skipped.forEach(line -> times.merge(line, 1, Integer::sum));
        StringBuilder report = new StringBuilder("Skipped tests (" + skipped.size() + "):");
        times.forEach(
                (line, count) ->
                        report.append("\n  skipped ")
                                .append(count > 1 ? count + " times " : "")
                                .append(line));
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
