/**
 * What keeps errors of the program from passing unseen in a test: exceptions that leave a thread,
 * and lines of the log at ERROR, fail the test that does not expect them by name.
 */
@NullMarked
package io.quoin.testkit.log;

import org.jspecify.annotations.NullMarked;
