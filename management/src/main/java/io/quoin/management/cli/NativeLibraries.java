package io.quoin.management.cli;

import io.quoin.xlator.NameText;

/**
 * What is said where the native libraries cannot be loaded: the launcher says where they lie, and
 * without that they are unpacked into the JVM's folder for temporary files.
 *
 * <p>Threading: immutable.
 */
final class NativeLibraries {
    private static final String TEMPORARY = "java.io.tmpdir";
    private static final String EXTRACT = "jffi.extract.dir";

    private NativeLibraries() {}

    /** To be called before the first is loaded: none is ever unpacked into the working folder. */
    static void stayInTheTemporaryFolder() {
        if (System.getProperty(EXTRACT) == null) {
            System.setProperty(EXTRACT, System.getProperty(TEMPORARY));
        }
    }

    /** One line for a person, with the folder and what to do. */
    static String explain(LinkageError failure) {
        Throwable first = failure;
        while (first.getCause() != null) {
            first = first.getCause();
        }
        String reason = String.valueOf(first.getMessage()).strip().replaceAll("\\s*\\R\\s*", "; ");
        return NameText.printable(
                "native libraries cannot be loaded: folder="
                        + System.getProperty(EXTRACT, System.getProperty(TEMPORARY))
                        + ", expected=room, and no mount with noexec; choose another one with"
                        + " QUOIN_JAVA_OPTS=-Djava.io.tmpdir=DIR; reason="
                        + reason);
    }
}
