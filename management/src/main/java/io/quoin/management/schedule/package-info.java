/** Work that is done at times by a calendar: when it is due, and what became of it. */
@NullMarked
package io.quoin.management.schedule;

import org.jspecify.annotations.NullMarked;
