package io.quoin.tools.command;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Geometry;
import io.quoin.brick.posix.LocalFile;
import io.quoin.qcow2.file.BackingFiles;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.info.ImageChain;
import io.quoin.qcow2.info.Qcow2Info;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.NbdImage;
import io.quoin.tools.OpenedImage;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code quoin image info}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "info",
        description = "Describe an image, or an NBD export.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  quoin image info vm1.qcow2",
            "  quoin image info --backing-chain --output json vm1.qcow2",
            "  quoin image info nbd://host/disk"
        })
final class InfoCommand implements Callable<Integer> {
    private static final String BACKING = "backing-filename";

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImageSource source;

    @Option(names = "--backing-chain", description = "describe all backing files as well")
    private boolean chain;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Override
    public Integer call() throws IOException {
        List<Map<String, Object>> infos = new ArrayList<>();
        try (ImageSession session = new ImageSession()) {
            if (source.location() instanceof NbdImage remote) {
                infos.add(describe(session, remote));
            } else {
                describe(session, source.image(), infos);
            }
        }
        output.print(
                chain ? infos : infos.get(0),
                out -> {
                    for (int i = 0; i < infos.size(); i++) {
                        if (i > 0) {
                            out.println();
                        }
                        InfoText.print(infos.get(i), out);
                    }
                });
        return 0;
    }

    /** The image, and with it the images below if they are asked for. */
    private void describe(ImageSession session, LocalImage image, List<Map<String, Object>> infos)
            throws IOException {
        image.existing();
        LocalImage next = image;
        while (next != null) {
            if (infos.size() == ImageChain.LENGTH_MAX) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "backing chain is a loop or too long: path="
                                + source.file()
                                + ", expected=at most "
                                + ImageChain.LENGTH_MAX
                                + " images");
            }
            Map<String, Object> info = describe(session, next);
            infos.add(info);
            next = chain && info.containsKey(BACKING) ? backingOf(session, next, info) : null;
        }
    }

    private static Map<String, Object> describe(ImageSession session, NbdImage image) {
        OpenedImage export = session.open(image, OpenMode.READ_ONLY);
        Geometry geometry = export.geometry();
        Map<String, Object> nbd = new LinkedHashMap<>(export.details());
        nbd.remove("type");
        nbd.put("block-size-min", geometry.blockSizeMin());
        nbd.put("block-size-preferred", geometry.blockSizePreferred());
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("filename", image.text());
        info.put("format", "raw");
        info.put("virtual-size", geometry.sizeBytes());
        info.put("nbd", nbd);
        return info;
    }

    private static Map<String, Object> describe(ImageSession session, LocalImage image)
            throws IOException {
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("filename", image.text());
        long actualBytes;
        long fileBytes;
        Path path = image.existing();
        try (LocalFile file = LocalFile.open(path)) {
            actualBytes = file.allocatedBytes();
            fileBytes = file.sizeBytes();
        }
        if (image.format() == ImageFormat.RAW) {
            info.put("format", "raw");
            info.put("virtual-size", fileBytes);
            info.put("dirty-flag", false);
        } else {
            try (ImageFile file = session.beside(path)) {
                info.putAll(Qcow2Info.describe(file));
            }
            if (info.get(BACKING) instanceof String name) {
                info.put(
                        "full-backing-filename",
                        NameText.of(path.resolveSibling(NameText.path(name))));
            }
        }
        info.put("actual-size", actualBytes);
        return info;
    }

    /** The file that the rules for backing files lead to, and no other. */
    private static LocalImage backingOf(
            ImageSession session, LocalImage image, Map<String, Object> info) throws IOException {
        Path path = image.existing();
        Path folder = Objects.requireNonNull(path.getParent(), "a file lies in a folder");
        String name = String.valueOf(info.get(BACKING));
        BackingFiles.inFolder(folder, session::beside).open(name).close();
        Object format = info.get("backing-filename-format");
        if (!"raw".equals(format) && !"qcow2".equals(format)) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "backing file without a format: path="
                            + image.text()
                            + ", backing file="
                            + name
                            + ", expected=qcow2 or raw in the header, actual="
                            + format);
        }
        return new LocalImage(
                path.resolveSibling(NameText.path(name)),
                "raw".equals(format) ? ImageFormat.RAW : ImageFormat.QCOW2);
    }
}
