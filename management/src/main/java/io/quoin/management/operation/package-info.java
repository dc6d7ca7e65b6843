/**
 * What can be done with a volume: one class an operation, found by its name, over the records that
 * it takes and gives. A new one is a class here and a line in {@code Operations}.
 */
@NullMarked
package io.quoin.management.operation;

import org.jspecify.annotations.NullMarked;
