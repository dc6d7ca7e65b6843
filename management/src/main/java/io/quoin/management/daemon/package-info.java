/**
 * {@code quoin serve}: the process that owns a data folder, serves its disks over NBD and answers
 * commands on a control socket.
 */
@NullMarked
package io.quoin.management.daemon;

import org.jspecify.annotations.NullMarked;
