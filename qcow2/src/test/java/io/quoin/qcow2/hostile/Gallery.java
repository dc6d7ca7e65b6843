package io.quoin.qcow2.hostile;

import io.quoin.qcow2.hostile.HostileImage.Verdict;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** All malformed images. */
public final class Gallery {
    private final List<HostileImage> images = new ArrayList<>();
    private final Set<String> names = new HashSet<>();

    private Gallery() {}

    public static List<HostileImage> all() {
        Gallery gallery = new Gallery();
        HeaderImages.addTo(gallery);
        FeatureImages.addTo(gallery);
        BackingImages.addTo(gallery);
        RefcountImages.addTo(gallery);
        MappingImages.addTo(gallery);
        CompressedImages.addTo(gallery);
        SnapshotImages.addTo(gallery);
        BitmapImages.addTo(gallery);
        AttackImages.addTo(gallery);
        return gallery.images;
    }

    void add(
            String name,
            Verdict verdict,
            String says,
            Supplier<SmallImage> valid,
            Consumer<SmallImage> damage) {
        if (!names.add(name)) {
            throw new IllegalArgumentException("two images of one name: " + name);
        }
        images.add(HostileImage.of("QCOW2 " + name, verdict, says, valid, damage));
    }

    /** Refused by everyone, with a message that has {@code says} in it. */
    void refused(String name, String says, Consumer<SmallImage> damage) {
        add(name, Verdict.REFUSED, says, SmallImage::plain, damage);
    }

    void refused(
            String name, String says, Supplier<SmallImage> valid, Consumer<SmallImage> damage) {
        add(name, Verdict.REFUSED, says, valid, damage);
    }

    void notServed(
            String name, String says, Supplier<SmallImage> valid, Consumer<SmallImage> damage) {
        add(name, Verdict.NOT_SERVED, says, valid, damage);
    }

    void readOnly(String name, String says, Consumer<SmallImage> damage) {
        add(name, Verdict.READ_ONLY, says, SmallImage::plain, damage);
    }

    void readOnly(
            String name, String says, Supplier<SmallImage> valid, Consumer<SmallImage> damage) {
        add(name, Verdict.READ_ONLY, says, valid, damage);
    }

    /** Served; a check says what is wrong. */
    void found(String name, String says, Supplier<SmallImage> valid, Consumer<SmallImage> damage) {
        add(name, Verdict.FOUND, says, valid, damage);
    }

    void unreadable(String name, Consumer<SmallImage> damage) {
        add(name, Verdict.UNREADABLE, "", SmallImage::plain, damage);
    }

    void unreadable(String name, Supplier<SmallImage> valid, Consumer<SmallImage> damage) {
        add(name, Verdict.UNREADABLE, "", valid, damage);
    }

    void unwritable(String name, Supplier<SmallImage> valid, Consumer<SmallImage> damage) {
        add(name, Verdict.UNWRITABLE, "", valid, damage);
    }

    void served(String name, Consumer<SmallImage> damage) {
        add(name, Verdict.SERVED, "", SmallImage::plain, damage);
    }

    void served(String name, Supplier<SmallImage> valid, Consumer<SmallImage> damage) {
        add(name, Verdict.SERVED, "", valid, damage);
    }
}
