/**
 * The transmission phase: requests are taken out of what was received, put into the disk's ring
 * with their payload where it lies, and answered in one gathered write per batch.
 */
@NullMarked
package io.quoin.nbd.transmission;

import org.jspecify.annotations.NullMarked;
