package io.quoin.management.image;

import io.quoin.nbd.client.NbdUri;

/**
 * A disk behind an NBD address. It is raw, and it is there already.
 *
 * @param uri the address
 * @param text as it was given
 *     <p>Threading: immutable.
 */
public record NbdImage(NbdUri uri, String text) implements ImageLocation {}
