/** Benchmarks of the hot pieces, each alone, by JMH; {@code benchmarks/jmh} runs them. */
@NullMarked
package io.quoin.benchmarks.jmh;

import org.jspecify.annotations.NullMarked;
