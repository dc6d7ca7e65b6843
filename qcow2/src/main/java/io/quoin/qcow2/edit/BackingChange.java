package io.quoin.qcow2.edit;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.HeaderBuilder;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.Qcow2Header;
import org.jspecify.annotations.Nullable;

/**
 * Gives an image that is not open another backing file, in the header alone. A crash leaves the old
 * name or the new one.
 *
 * <p>Threading: confined to its user.
 */
public final class BackingChange {
    private final HeaderSwitch change;

    private BackingChange(HeaderSwitch change) {
        this.change = change;
    }

    /**
     * Prepares the change; nothing is written yet.
     *
     * @param name a plain file name; null: no backing file
     * @param format qcow2 or raw; null with no backing file
     * @throws BlockException EINVAL if the name does not fit into the header, or the image cannot
     *     have a backing file
     */
    public static BackingChange prepare(
            ImageFile file, @Nullable String name, @Nullable String format) {
        try {
            return prepare(ClosedImage.openForRebase(file), name, format);
        } catch (BlockException e) {
            throw e.about(file.name());
        }
    }

    private static BackingChange prepare(
            ClosedImage image, @Nullable String name, @Nullable String format) {
        Qcow2Header header = image.header;
        if (header.isCorrupt()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "qcow2 header: the image is marked corrupt: repair it first");
        }
        if (name != null && header.isRawExternalData()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "qcow2 header: backing file="
                            + name
                            + ", expected=none with a raw external data file");
        }
        HeaderBuilder changed = header.toBuilder().backingFile(name);
        if (name == null || format == null) {
            changed.withoutExtension(HeaderExtension.BACKING_FORMAT);
        } else {
            changed.extension(Qcow2Header.backingFormatExtension(format));
        }
        if (header.version() >= 3) {
            changed.features(
                    header.incompatibleFeatures(),
                    header.compatibleFeatures(),
                    header.autoclearFeatures() & Qcow2Header.AUTOCLEAR_KNOWN);
        }
        return new BackingChange(new HeaderSwitch(image, changed.build()));
    }

    /** Makes the change, durably. */
    public void write() {
        change.write();
    }

    /** The header that the image has then. */
    public Qcow2Header header() {
        return change.header();
    }
}
