/** A client: the export of another NBD server as a file of this process, on a loop. */
@NullMarked
package io.quoin.nbd.client;

import org.jspecify.annotations.NullMarked;
