package io.quoin.management.assemble;

import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A brick folder with plain files. */
final class FolderMember implements Member {
    private final Path folder;

    FolderMember(Path folder) {
        this.folder = folder;
    }

    @Override
    public String text() {
        return NameText.of(folder);
    }

    @Override
    public SortedSet<String> names() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .map(NameText::lastOf)
                    .filter(name -> !name.startsWith("."))
                    .collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw failure(folder, e);
        }
    }

    @Override
    public boolean isClean(String name) {
        return true;
    }

    @Override
    public SourceFile open(String name) {
        Path path = folder.resolve(NameText.path(name));
        try {
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            return new Plain(path, channel, channel.size());
        } catch (IOException e) {
            throw failure(path, e);
        }
    }

    private static BlockException failure(Path path, IOException e) {
        return Reason.failure("cannot read the brick", NameText.of(path), e);
    }

    private record Plain(Path path, FileChannel channel, long sizeBytes) implements SourceFile {
        @Override
        public void read(long offsetBytes, ByteBuffer into) {
            long at = offsetBytes;
            try {
                while (into.hasRemaining()) {
                    int count = channel.read(into, at);
                    if (count < 0) {
                        break;
                    }
                    at += count;
                }
            } catch (IOException e) {
                throw failure(path, e);
            }
            while (into.hasRemaining()) {
                into.put((byte) 0);
            }
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw failure(path, e);
            }
        }
    }
}
