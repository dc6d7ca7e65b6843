/**
 * Jobs: work of the control plane that takes its time and outlives the client that asked for it.
 */
@NullMarked
package io.quoin.management.job;

import org.jspecify.annotations.NullMarked;
