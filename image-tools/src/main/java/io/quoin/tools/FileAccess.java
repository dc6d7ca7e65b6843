package io.quoin.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;

/**
 * Which users may do what with a file that is to be replaced: the same shall hold for the one that
 * takes its place.
 *
 * <p>Threading: immutable.
 */
record FileAccess(UserPrincipal owner, GroupPrincipal group, Set<PosixFilePermission> permissions) {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            PosixFilePermissions.fromString("rw-------");

    static FileAccess of(Path file) throws IOException {
        PosixFileAttributes is = Files.readAttributes(file, PosixFileAttributes.class);
        return new FileAccess(is.owner(), is.group(), Set.copyOf(is.permissions()));
    }

    /** Leaves a file to its owner alone, unless what it has is right already. */
    void withhold(Path file) throws IOException {
        // Some file systems have one answer for all their files, and take no other.
        if (!of(file).equals(this)) {
            Files.setPosixFilePermissions(file, OWNER_ONLY);
        }
    }

    /** Permissions for certain, group and owner as far as the process may give them away. */
    void giveTo(Path file) throws IOException {
        FileAccess is = of(file);
        PosixFileAttributeView view =
                Files.getFileAttributeView(file, PosixFileAttributeView.class);
        // The group before anything is granted to it, the owner last: then it is not ours any more.
        if (!is.group.equals(group)) {
            ifAllowed(() -> view.setGroup(group));
        }
        if (!is.permissions.equals(permissions)) {
            view.setPermissions(permissions);
        }
        if (!is.owner.equals(owner)) {
            ifAllowed(() -> view.setOwner(owner));
        }
    }

    private interface Change {
        void make() throws IOException;
    }

    private static void ifAllowed(Change change) {
        try {
            change.make();
        } catch (IOException e) {
            // Without the privilege the file stays the caller's, as it is with cp.
        }
    }
}
