package io.quoin.management;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The arrows of docs/ARCHITECTURE.md. What is held against them are the modules' own classes, as
 * the build has left them, without the tests.
 */
@Timeout(120)
class ArchitectureTest {
    private static final String BLOCK = "io.quoin.block..";
    private static final String XLATOR = "io.quoin.xlator..";
    private static final String BRICK = "io.quoin.brick..";
    private static final String QCOW2 = "io.quoin.qcow2..";
    private static final String SNAPSHOT = "io.quoin.snapshot..";
    private static final String REPLICATE = "io.quoin.replicate..";
    private static final String STRIPE = "io.quoin.stripe..";
    private static final String NBD = "io.quoin.nbd..";
    private static final String TOOLS = "io.quoin.tools..";
    private static final String BACKUP = "io.quoin.backup..";
    private static final String MANAGEMENT = "io.quoin.management..";
    private static final String COMMAND_LINE = "io.quoin.management.cli..";
    private static final String OPERATIONS = "io.quoin.management.operation..";
    private static final String TESTKIT = "io.quoin.testkit..";
    private static final String OURS = "io.quoin..";
    private static final String SYSTEM_CALLS = "io.quoin.brick.posix.SystemCalls";

    /** Which package may see what of Quoin, besides itself. */
    private static final Map<String, List<String>> ARROWS =
            Map.ofEntries(
                    Map.entry(BLOCK, List.of()),
                    Map.entry(XLATOR, List.of(BLOCK)),
                    Map.entry(BRICK, List.of(BLOCK, XLATOR)),
                    Map.entry(QCOW2, List.of(BLOCK, XLATOR)),
                    Map.entry(SNAPSHOT, List.of(BLOCK, XLATOR, QCOW2)),
                    Map.entry(REPLICATE, List.of(BLOCK, XLATOR)),
                    Map.entry(STRIPE, List.of(BLOCK, XLATOR)),
                    Map.entry(NBD, List.of(BLOCK, XLATOR)),
                    Map.entry(TESTKIT, List.of(BLOCK, XLATOR)),
                    Map.entry(TOOLS, List.of(BLOCK, XLATOR, BRICK, QCOW2, NBD)),
                    Map.entry(BACKUP, List.of(BLOCK, XLATOR, BRICK, QCOW2, TOOLS)),
                    Map.entry(
                            MANAGEMENT,
                            List.of(
                                    BLOCK, XLATOR, BRICK, QCOW2, SNAPSHOT, REPLICATE, STRIPE, NBD,
                                    TOOLS, BACKUP)));

    private static final JavaClasses CLASSES = importMain();

    private static JavaClasses importMain() {
        Path root = Path.of(System.getProperty("quoin.root"));
        List<Path> folders = new ArrayList<>();
        try (Stream<Path> modules = Files.list(root)) {
            modules.map(module -> module.resolve("target").resolve("classes"))
                    .filter(Files::isDirectory)
                    .forEach(folders::add);
        } catch (IOException e) {
            throw new AssertionError("cannot list the modules", e);
        }
        return new ClassFileImporter().importPaths(folders);
    }

    @Test
    void shouldHaveFoundEveryModule() {
        assertThat(ARROWS.keySet())
                .allSatisfy(
                        part ->
                                assertThat(CLASSES.stream().map(JavaClass::getPackageName))
                                        .anyMatch(name -> (name + ".").startsWith(prefix(part))));
    }

    private static String prefix(String part) {
        return part.substring(0, part.length() - 1);
    }

    @Test
    void shouldPointDownwardsOnly() {
        ARROWS.forEach(
                (part, seen) -> {
                    List<String> allowed = new ArrayList<>(seen);
                    allowed.add(part);
                    check(
                            noClasses()
                                    .that()
                                    .resideInAPackage(part)
                                    .should()
                                    .dependOnClassesThat(
                                            DescribedPredicate.<JavaClass>describe(
                                                    "are of Quoin but not in " + allowed,
                                                    target -> isOursOutside(target, allowed))));
                });
    }

    private static boolean isOursOutside(JavaClass target, List<String> allowed) {
        String name = target.getPackageName() + ".";
        return name.startsWith("io.quoin.")
                && allowed.stream().noneMatch(part -> name.startsWith(prefix(part)));
    }

    @Test
    void shouldKeepNettyToSocketsAndTheLoop() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage(OURS)
                        .and()
                        .resideOutsideOfPackages(
                                NBD, "io.quoin.replicate.wire..", "io.quoin.management.http..")
                        .and()
                        .haveNameNotMatching("io\\.quoin\\.xlator\\.loop\\.NettyLoop.*")
                        .and()
                        .resideOutsideOfPackage("io.quoin.benchmarks..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage("io.netty.."));
    }

    @Test
    void shouldCallNativeCodeInOnePackage() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage(OURS)
                        .and()
                        .resideOutsideOfPackage("io.quoin.brick.posix..")
                        .and()
                        // They measure what such a call costs without anything around it.
                        .resideOutsideOfPackage("io.quoin.benchmarks..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage("jnr..", "com.kenai.jffi..", "com.sun.jna.."));
    }

    /** A number that one class closes and another still uses may be another disk's by then. */
    @Test
    void shouldOpenAndCloseFilesInOneClass() {
        check(
                noClasses()
                        .that()
                        .doNotHaveFullyQualifiedName("io.quoin.brick.posix.Descriptor")
                        .should()
                        .callMethodWhere(
                                DescribedPredicate.<JavaMethodCall>describe(
                                        "opens or closes a descriptor",
                                        call ->
                                                call.getTargetOwner().getName().equals(SYSTEM_CALLS)
                                                        && List.of("openat", "close")
                                                                .contains(call.getName()))));
    }

    @Test
    void shouldHaveNoPackagesForEverything() {
        check(
                noClasses()
                        .should()
                        .resideInAnyPackage(
                                "..util..",
                                "..utils..",
                                "..impl..",
                                "..common..",
                                "..helper..",
                                "..helpers..",
                                "..manager.."));
    }

    @Test
    void shouldLiveUnderTheRootPackage() {
        check(classes().should().resideInAPackage(OURS));
    }

    @Test
    void shouldHaveNoCyclesBetweenTheModules() {
        SlicesRuleDefinition.slices()
                .matching("io.quoin.(*)..")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    @Test
    void shouldHaveNoCyclesBetweenThePackagesOfManagement() {
        SlicesRuleDefinition.slices()
                .matching("io.quoin.management.(**)")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    /** docs/adr/0020 has the layers; the module's own package is the highest of them. */
    @Test
    void shouldHaveNoCyclesBetweenThePackagesOfQcow2() {
        checkCyclesBetweenPackagesOf(QCOW2);
    }

    @Test
    void shouldHaveNoCyclesBetweenThePackagesOfTheTools() {
        checkCyclesBetweenPackagesOf(TOOLS);
    }

    /** Slices are packages, the module's own among them. */
    private static void checkCyclesBetweenPackagesOf(String module) {
        SlicesRuleDefinition.slices()
                .assignedFrom(
                        new SliceAssignment() {
                            @Override
                            public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
                                String name = javaClass.getPackageName();
                                return (name + ".").startsWith(prefix(module))
                                        ? SliceIdentifier.of(name)
                                        : SliceIdentifier.ignore();
                            }

                            @Override
                            public String getDescription() {
                                return "packages of " + module;
                            }
                        })
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    @Test
    void shouldKeepTheCommandLineAboveAllOthers() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage(OURS)
                        .and()
                        .resideOutsideOfPackage(COMMAND_LINE)
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage(COMMAND_LINE));
    }

    /**
     * docs/adr/0023: the command line offers the tools, and operations copy with them; the daemon
     * and its volume know none.
     */
    @Test
    void shouldKeepTheToolsApartFromTheDaemon() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage(MANAGEMENT)
                        .and()
                        .resideOutsideOfPackages(COMMAND_LINE, OPERATIONS)
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage(TOOLS));
        check(
                noClasses()
                        .that()
                        .resideInAPackage(OPERATIONS)
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(
                                "io.quoin.tools.command..", "io.quoin.tools.terminal.."));
    }

    /** What the tools do is there for programs too, without a terminal. */
    @Test
    void shouldKeepTheToolsApartFromTheirCommands() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage("io.quoin.tools")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(
                                "io.quoin.tools.command..",
                                "io.quoin.tools.terminal..",
                                "picocli.."));
        check(
                noClasses()
                        .that()
                        .resideInAPackage("io.quoin.tools.terminal..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage("io.quoin.tools", "io.quoin.tools.command.."));
    }

    private static void check(ArchRule rule) {
        rule.check(CLASSES);
    }

    /** Content, name, folder, in that order: what knows it does it. */
    @Test
    void shouldRenameFilesInOnePlace() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage(OURS)
                        // Sockets have no content.
                        .and()
                        .doNotHaveFullyQualifiedName("io.quoin.nbd.UnixSocketFile")
                        .and()
                        .resideOutsideOfPackages("io.quoin.testkit..", "io.quoin.benchmarks..")
                        .should()
                        .callMethodWhere(
                                DescribedPredicate.describe(
                                        "renames a file",
                                        call ->
                                                call.getTarget()
                                                        .getFullName()
                                                        .matches(
                                                                "java\\.nio\\.file\\.Files\\.move\\(.*"
                                                                        + "|java\\.io\\.File\\.renameTo\\(.*"))));
    }

    /** A {@code java.io.File} has its name by the locale. */
    @Test
    void shouldNameFilesByBytes() {
        check(
                noClasses()
                        .that()
                        .resideInAPackage(OURS)
                        .and()
                        .resideOutsideOfPackages("io.quoin.testkit..", "io.quoin.benchmarks..")
                        .should()
                        .dependOnClassesThat()
                        .haveFullyQualifiedName("java.io.File"));
    }
}
