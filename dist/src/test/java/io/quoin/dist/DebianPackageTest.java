package io.quoin.dist;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The Debian package, looked at and installed into a root of its own. */
@Timeout(600)
class DebianPackageTest {
    private static final String LIFE =
            Packages.ROOT
                    + """
                    inside="chroot $root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive"
                    quoin="$inside setpriv --reuid quoin --regid kvm --clear-groups env QUOIN_DATA=/var/lib/quoin quoin"
                    $inside dpkg -i /run/quoin.deb
                    $inside ls -ld /var/lib/quoin
                    $inside ls /var/cache/quoin
                    $inside id quoin
                    $inside quoin --version
                    if $inside sh -c 'command -v systemd-analyze' >/dev/null; then
                        $inside systemd-analyze verify quoin.service quoin.socket 2>&1
                        echo "units are verified"
                    fi
                    mkdir -m 0755 "$root/run/quoin"
                    $inside chown quoin:kvm /run/quoin
                    $quoin serve --listen none --socket /run/quoin/nbd.sock --socket-group kvm --disk vm1=10M &
                    server=$!
                    $quoin status --wait 60
                    $inside stat -c '%a %U:%G' /run/quoin/nbd.sock
                    echo "# of this machine" >>"$root/etc/quoin/quoin.toml"
                    $inside dpkg -i /run/quoin.deb
                    $quoin status
                    kill "$server"
                    wait "$server"
                    $inside dpkg -r quoin
                    for path in /usr/bin/quoin /var/cache/quoin /etc/quoin/quoin.toml; do
                        [ -e "$root$path" ] && echo "removed: $path stays" || echo "removed: $path is gone"
                    done
                    $inside dpkg -P quoin
                    [ -e "$root/etc/quoin/quoin.toml" ] || echo "purged: settings are gone"
                    $inside ls -l /var/lib/quoin/brick
                    """;

    @Test
    void shouldHaveWhatAPackageHas() {
        String file = Packages.debianPackage().toString();
        PeerResult fields = PeerCommand.of("dpkg-deb", "--field", file).runOk();
        assertThat(fields.stdout())
                .contains("Package: quoin\n", "Architecture: all\n", "java17-runtime-headless");

        PeerResult control = PeerCommand.of("dpkg-deb", "--info", file).runOk();
        assertThat(control.stdout())
                .contains("conffiles", "postinst", "prerm", "postrm", "triggers");

        PeerResult contents = PeerCommand.of("dpkg-deb", "--contents", file).runOk();
        assertThat(contents.stdout().lines())
                .anyMatch(
                        line -> line.matches("-rwxr-xr-x root/root .* \\./usr/lib/quoin/bin/quoin"))
                .anyMatch(line -> line.endsWith("./usr/bin/quoin -> ../lib/quoin/bin/quoin"))
                .anyMatch(
                        line ->
                                line.matches(
                                        "-rw-r--r-- root/root .* \\./lib/systemd/system/quoin.service"))
                .anyMatch(line -> line.endsWith("./usr/share/man/man1/quoin-disk-create.1.gz"))
                .anyMatch(line -> line.endsWith("./usr/share/bash-completion/completions/quoin"))
                .anyMatch(line -> line.endsWith("./usr/share/zsh/vendor-completions/_quoin"))
                .anyMatch(line -> line.endsWith("./etc/quoin/quoin.toml"))
                .noneMatch(line -> line.contains("/var/lib/quoin"))
                .noneMatch(line -> line.contains(".jsa"));
    }

    @Test
    void shouldBeInstalledUpgradedAndRemovedWithoutTouchingDisks() {
        Packages.assumeMounts();

        PeerResult life = Packages.runApart(LIFE, Packages.debianPackage().toString());

        if (PeerCommand.of("sh", "-c", "command -v systemd-analyze").run().exitCode() == 0) {
            assertThat(life.stdout())
                    .contains("units are verified")
                    .doesNotContain("quoin.service:", "quoin.socket:");
        }
        assertThat(life.stdout())
                .contains("drwxr-x--- ", " quoin kvm ", ".jsa\n", "(kvm)", "(commit ")
                .contains("disk vm1, 10 MiB", "660 quoin:kvm")
                .contains("Removing quoin", "removed: /usr/bin/quoin is gone")
                .contains("removed: /var/cache/quoin is gone")
                .contains("removed: /etc/quoin/quoin.toml stays", "purged: settings are gone")
                .endsWith(" vm1.qcow2\n");
    }
}
