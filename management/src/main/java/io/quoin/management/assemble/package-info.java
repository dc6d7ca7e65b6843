/**
 * Files of a volume that is not open, put together from its bricks: the newest copies of parts that
 * may lie on several. Bricks are read and never written.
 */
@org.jspecify.annotations.NullMarked
package io.quoin.management.assemble;
