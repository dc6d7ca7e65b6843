package io.quoin.nbd;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The file of a listening unix socket. The socket is bound in a folder of its own that only this
 * user may enter, gets its permissions, and then its name: no client can connect before they are in
 * force. A socket left by a server that died is replaced; one that a server listens on, and
 * anything else, is not. Nothing is written or removed but what this object has made, and that dead
 * socket.
 *
 * <p>Threading: confined to the thread that starts the server, then to the one that closes it.
 */
public final class UnixSocketFile {
    /** How long the name is, in the folder of the socket, under which it is bound. */
    public static final int ASIDE_BYTES = ".12345/s".length();

    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final int LETTERS_RANDOM = 5;
    private static final int ATTEMPTS = 100;

    private final Path path;
    private final SecureRandom random = new SecureRandom();
    private @Nullable Path aside;
    private @Nullable Object identity;

    UnixSocketFile(Path path) {
        this.path = NameText.absolute(path);
    }

    /** Makes sure that the name may be had; what to bind. */
    Path prepare() {
        try {
            requireFree();
            Path folder = makeFolder();
            aside = folder;
            return folder.resolve("s");
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private Path makeFolder() throws IOException {
        for (int attempt = 1; ; attempt++) {
            StringBuilder name = new StringBuilder(".");
            for (int i = 0; i < LETTERS_RANDOM; i++) {
                name.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
            }
            try {
                return Files.createDirectory(
                        path.resolveSibling(name.toString()),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            } catch (FileAlreadyExistsException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    /** Whether nothing has the name, or a dead socket, which goes. */
    private void requireFree() throws IOException {
        Object found;
        try {
            BasicFileAttributes is =
                    Files.readAttributes(
                            path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!isSocket()) {
                throw new BlockException(
                        BlockError.EEXIST,
                        "cannot listen: socket="
                                + text()
                                + ", expected=a socket, actual=another file");
            }
            found = is.fileKey();
        } catch (NoSuchFileException e) {
            return;
        }
        if (answers()) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "cannot listen: socket=" + text() + ", another server listens on it");
        }
        if (Objects.equals(found, identityOf(path))) {
            Files.delete(path);
        }
    }

    private boolean isSocket() throws IOException {
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        return (mode & 0170000) == 0140000;
    }

    /** A server that is too busy, or another user's, is a server: only a refusal says none. */
    private boolean answers() {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false); // one whose queue is full would keep this waiting
            probe.connect(UnixDomainSocketAddress.of(path));
            return true;
        } catch (ConnectException refused) {
            return false;
        } catch (IOException unknown) {
            return true;
        }
    }

    /** Gives the bound socket its group, its permissions and its name. */
    void publish(int mode, @Nullable String group) {
        Path folder = Objects.requireNonNull(aside);
        Path bound = folder.resolve("s");
        try {
            if (group != null) {
                giveTo(group, bound);
            }
            Files.setPosixFilePermissions(bound, permissions(mode));
            place(bound);
            identity = identityOf(path);
        } catch (FileAlreadyExistsException e) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "cannot listen: socket=" + text() + ", another file has come there",
                    e);
        } catch (IOException e) {
            throw failed(e);
        } finally {
            removeAside();
        }
    }

    private static void giveTo(String group, Path bound) throws IOException {
        PosixFileAttributeView attributes =
                Files.getFileAttributeView(bound, PosixFileAttributeView.class);
        try {
            attributes.setGroup(
                    bound.getFileSystem()
                            .getUserPrincipalLookupService()
                            .lookupPrincipalByGroupName(group));
        } catch (UserPrincipalNotFoundException e) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "no such group: name=" + group + ", expected=one that getent group lists",
                    e);
        } catch (FileSystemException e) {
            throw new BlockException(
                    BlockError.EPERM,
                    "cannot give the socket to the group: name="
                            + group
                            + ", expected=a group of this user's own; reason="
                            + Reason.of(e),
                    e);
        }
    }

    /** A second name, unlike a rename, takes the place of nothing. */
    private void place(Path bound) throws IOException {
        try {
            Files.createLink(path, bound);
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (FileSystemException | UnsupportedOperationException e) {
            // A file system whose files have one name.
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
            Files.move(bound, path, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** Removes what {@link #prepare} has made; also where nothing could be bound. */
    void removeAside() {
        Path folder = aside;
        aside = null;
        try {
            if (folder != null) {
                Files.deleteIfExists(folder.resolve("s"));
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Removes the file, unless it has become another's. */
    void remove() {
        try {
            if (identity != null && Objects.equals(identity, identityOf(path))) {
                Files.delete(path);
            }
        } catch (IOException e) {
            // Gone already.
            identity = null;
        }
    }

    private static @Nullable Object identityOf(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .fileKey();
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] all = PosixFilePermission.values();
        for (int i = 0; i < all.length; i++) {
            if ((mode & 0400 >> i) != 0) {
                permissions.add(all[i]);
            }
        }
        return permissions;
    }

    private String text() {
        return NameText.printable(NameText.of(path));
    }

    private BlockException failed(IOException e) {
        return new BlockException(
                BlockError.EIO, "cannot listen: socket=" + text() + ", cause=" + Reason.of(e), e);
    }
}
