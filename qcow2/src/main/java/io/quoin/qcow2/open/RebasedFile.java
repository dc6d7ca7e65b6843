package io.quoin.qcow2.open;

/**
 * An open image that is about to get another backing file.
 *
 * <p>Threading: confined(loop).
 */
public interface RebasedFile {
    /**
     * From now on zeros that are written are stored also where the image reads as zeros because
     * nothing lies behind it: the new backing file may have something there.
     */
    void expectOtherBacking();
}
