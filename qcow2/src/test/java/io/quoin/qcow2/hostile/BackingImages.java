package io.quoin.qcow2.hostile;

import io.quoin.qcow2.hostile.HostileImage.Verdict;

/** Checklist section 4: what a backing or data file name may lead to. */
final class BackingImages {
    private static final String[] ESCAPES = {
        "/etc/passwd",
        "../outside.raw",
        "a/../../outside.raw",
        "sub/inside.raw",
        "./base.raw",
        "..",
        ".",
        ".hidden.raw",
        "json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}",
        "nbd:localhost:10809",
        "nbd+unix:///x?socket=/run/x",
        "http://localhost/x",
        "ssh://root@localhost/x",
        "fat:rw:/etc",
        "file:base.raw",
        "host_device:/dev/sda",
        "base.raw:0",
        "C:\\base.raw",
        "\\\\host\\share",
        "base.raw\n",
        " /etc/passwd",
        "%2e%2e/outside.raw"
    };

    private BackingImages() {}

    static void addTo(Gallery gallery) {
        escapes(gallery);
        chains(gallery);
        formats(gallery);
    }

    private static void escapes(Gallery g) {
        for (String name : ESCAPES) {
            String shown = name.replace("\n", "<newline>");
            g.notServed(
                    "47: backing file " + shown,
                    "",
                    () -> SmallImage.withBacking(name, "raw"),
                    image -> {});
            g.notServed(
                    "47: data file " + shown, "", () -> SmallImage.withDataFile(name), image -> {});
        }
        g.notServed(
                "47: data file that is an image of another disk",
                "expected=no image",
                () -> SmallImage.withDataFile(Entrances.LOOP),
                image -> {});
    }

    private static void chains(Gallery g) {
        g.notServed(
                "48: image that backs itself",
                "loop",
                () -> SmallImage.withBacking(Entrances.IMAGE, "qcow2"),
                image -> {});
        g.notServed(
                "48: loop of two images",
                "loop",
                () -> SmallImage.withBacking(Entrances.LOOP, "qcow2"),
                image -> {});
        g.notServed(
                "48: chain of 300 images",
                "too long",
                () -> SmallImage.withBacking(Entrances.CHAIN + "0.qcow2", "qcow2"),
                image -> {});
        g.notServed(
                "47: backing file that is not there",
                "no such file",
                () -> SmallImage.withBacking("absent.raw", "raw"),
                image -> {});
        g.notServed(
                "147: backing file that is no qcow2 image",
                "magic",
                () -> SmallImage.withBacking("base.raw", "qcow2"),
                image -> {});
        g.served(
                "46: backing file shorter than the image",
                () -> SmallImage.withBacking("base.raw", "raw"),
                image -> {});
        g.served(
                "46: backing file longer than the image",
                () ->
                        SmallImage.of(
                                image -> {
                                    image.backing = "base.raw";
                                    image.size = 4096;
                                }),
                image -> {});
        g.served(
                "46: empty backing file",
                () -> SmallImage.withBacking("empty.raw", "raw"),
                image -> {});
        g.served(
                "22: raw backing file with a qcow2 header written by a guest (CVE-2008-2004)",
                () -> SmallImage.withBacking("disguised.raw", "raw"),
                image -> {});
    }

    private static void formats(Gallery g) {
        for (String format : new String[] {"", "vmdk", "host_device", "RAW", "raw\n", "json:{}"}) {
            g.add(
                    "38: backing format '" + format.trim() + "' of " + format.length(),
                    Verdict.NOT_SERVED,
                    "",
                    () -> SmallImage.withBacking("base.raw", format),
                    image -> {});
        }
        g.notServed(
                "38: backing file without a format in version 2",
                "backing format",
                () ->
                        SmallImage.of(
                                image -> {
                                    image.version = 2;
                                    image.backing = "base.raw";
                                    image.backingFormat = "";
                                }),
                image -> {});
    }
}
