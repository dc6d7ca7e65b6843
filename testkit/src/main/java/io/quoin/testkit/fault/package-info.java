/** Xlators that misbehave in legal ways: late and reordered completions. */
@NullMarked
package io.quoin.testkit.fault;

import org.jspecify.annotations.NullMarked;
