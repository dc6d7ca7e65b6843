/**
 * Other people's programs as partners of a test: finding them, running them with a deadline, and
 * saying which tests could not run because one is missing. Nothing started here outlives its test.
 */
@NullMarked
package io.quoin.testkit.peer;

import org.jspecify.annotations.NullMarked;
