package io.quoin.testkit.log;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the errors that a test, or any test of a class, may cause in the log. One is expected if
 * its line contains one of the texts; it is not printed then. That it comes is not demanded.
 */
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface LogsErrors {
    /** Parts of the lines. */
    String[] value();
}
