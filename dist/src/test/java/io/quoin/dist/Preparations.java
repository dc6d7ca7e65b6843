package io.quoin.dist;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a reader has already where a block begins, by the page, or by what the block begins with:
 * disks, files and backups of their own.
 */
final class Preparations {
    private static final String SERVICE = "quoin serve --listen none --disk vm1=1G\n";

    /**
     * The service that is beside the blocks of a page; none for those that start one themselves.
     */
    private static final Map<String, String> OF_PAGES =
            Map.of(
                    "README.md",
                    "",
                    "docs/install.md",
                    "",
                    "docs/cli.md",
                    """
                    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \\
                        -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem
                    echo 0123456789abcdef0123456789abcdef >token
                    quoin serve --listen none --api localhost:8443 --api-cert cert.pem --api-key key.pem --api-token token
                    """,
                    "docs/nbd.md",
                    """
                    quoin serve --listen none --disk vm1=1G
                    quoin snapshot create vm1@monday
                    quoin snapshot create vm1@tuesday
                    """,
                    "docs/backup.md",
                    """
                    quoin serve --listen none --disk vm1=1G --disk vm2=1G --disk db-data=1G --disk db-log=1G
                    quoin group create db db-data db-log
                    """);

    private static final Map<String, String> OF_BLOCKS = blocks();

    private Preparations() {}

    private static Map<String, String> blocks() {
        Map<String, String> blocks = new LinkedHashMap<>();
        blocks.put(
                "README.md: bin/quoin disk import",
                """
                qemu-img create -q -f qcow2 debian-12-generic-amd64.qcow2 64M
                qemu-img create -q -f raw debian.raw 64M
                """);
        blocks.put("README.md: bin/quoin status", "qemu-img create -q -f qcow2 vm2.qcow2 64M\n");
        blocks.put(
                "README.md: bin/quoin snapshot create",
                """
                quoin disk create db-data 1G
                quoin disk create db-log 1G
                """);
        blocks.put(
                "README.md: bin/quoin backup create",
                """
                quoin backup create vm1 --to /backup --name 2026-12-02T010000Z
                quoin backup protect /backup 2026-12-02T010000Z
                quoin disk create seed 1M --data /var/lib/other
                quoin backup export-diff vm1 vm1@monday - | ssh host quoin backup import-diff - vm1
                """);
        blocks.put(
                "README.md: bin/quoin image convert",
                "nbdcopy \"$(quoin disk uri vm1 | head -1)\" vm1-copy.raw\n");
        blocks.put(
                "docs/backup.md: quoin backup restore",
                "quoin backup create vm1 --to /backup --name 2026-12-02T010000Z\n");
        blocks.put(
                "docs/backup.md: quoin backup export-diff",
                """
                quoin snapshot create vm1@monday
                quoin snapshot create vm1@tuesday
                quoin disk create seed 1M --data /var/lib/other
                """);
        blocks.put(
                "docs/volumes.md: quoin volume assemble",
                """
                quoin volume create old stripe 2 /mnt/old/disk0/wide /mnt/old/disk1/wide force
                quoin volume start old
                quoin disk create old/vm1 1G
                quoin volume stop old
                """);
        return blocks;
    }

    static String of(String page) {
        return OF_PAGES.getOrDefault(page, SERVICE);
    }

    static String of(ShellBlock block) {
        String text = block.page() + ": " + block.text();
        return OF_BLOCKS.entrySet().stream()
                .filter(each -> text.startsWith(each.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse("");
    }
}
