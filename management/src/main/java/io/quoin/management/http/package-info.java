/**
 * The HTTP API of the operations: requests to answers, the messages of a connection, and the
 * document that describes it all.
 */
@NullMarked
package io.quoin.management.http;

import org.jspecify.annotations.NullMarked;
