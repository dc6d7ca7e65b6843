package io.quoin.qcow2.layout;

/**
 * What is wrong with a table entry, without an allocation on the data path.
 *
 * <p>Threading: immutable.
 */
public enum EntryFault {
    NONE("valid"),
    RESERVED_BITS("reserved bits are set"),
    UNALIGNED("the offset is not a multiple of the cluster size"),
    BEYOND_EOF("the offset lies beyond the end of the file"),
    HEADER("the offset is that of the header"),
    COPIED_WITHOUT_OFFSET("COPIED is set without an offset"),
    COPIED_COMPRESSED("COPIED is set on a compressed cluster"),
    ZERO_FLAG_VERSION_2("the zero flag is set in a version 2 image"),
    MOVED("the offset in the data file is not the guest offset"),
    COMPRESSED_EXTERNAL("a compressed cluster in an image with an external data file"),
    SUBCLUSTER_CONFLICT("a subcluster is both allocated and zero"),
    SUBCLUSTER_WITHOUT_OFFSET("a subcluster is allocated without an offset"),
    SUBCLUSTER_COMPRESSED("a compressed cluster has a subcluster bitmap");

    private final String text;

    EntryFault(String text) {
        this.text = text;
    }

    public String text() {
        return text;
    }

    public boolean isNone() {
        return this == NONE;
    }
}
