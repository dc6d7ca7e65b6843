package io.quoin.management.cli;

import io.quoin.management.daemon.ControlClient;
import io.quoin.management.operation.Status;
import io.quoin.management.volume.DiskView;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code quoin completion}: a script for bash and zsh. It is picocli's, for commands and options,
 * and has names of disks where there are none: those that the running service says.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "completion",
        description = "Print the completion script for bash and zsh.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  source <(quoin completion)"})
final class CompletionCommand implements Runnable {
    private static final String ENTRY = "complete -F _complete_quoin ";
    private static final String NAMES =
            """
            # Where there is no other completion: the disks of the running service.
            function _complete_quoin_disks() {
              _complete_quoin
              local curr_word="${COMP_WORDS[COMP_CWORD]}"
              if [ "${#COMPREPLY[@]}" -gt 0 ] || [[ "$curr_word" == -* ]]; then return 0; fi
              case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
                %s)
                  COMPREPLY=( $(compgen -W "$("${COMP_WORDS[0]}" completion --disks 2>/dev/null)" -- "$curr_word") )
                  ;;
              esac
            }
            """;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private DataOption data;

    @Option(
            names = "--disks",
            hidden = true,
            description = "print the names of the disks instead, if a service runs")
    private boolean disks;

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        if (disks) {
            names().forEach(out::println);
        } else {
            out.print(script());
        }
        out.flush();
    }

    /** Nothing is opened for a completion: without a service none is known. */
    private List<String> names() {
        Optional<ControlClient> service = ControlClient.connect(data.folder(), data.volume());
        if (service.isEmpty()) {
            return List.of();
        }
        try (ControlClient client = service.get()) {
            return client.call(Status.TYPE, new Status.Request()).disks().stream()
                    .map(DiskView::name)
                    .toList();
        }
    }

    private static String script() {
        CommandLine quoin = QuoinCommand.commandLine();
        List<String> takers = new ArrayList<>();
        quoin.getSubcommands()
                .forEach(
                        (group, command) ->
                                command.getSubcommands()
                                        .forEach(
                                                (verb, below) -> {
                                                    if (takesDisk(group, verb, below)) {
                                                        takers.add('"' + group + ' ' + verb + '"');
                                                    }
                                                }));
        return AutoComplete.bash("quoin", quoin)
                .replace(
                        ENTRY,
                        NAMES.formatted(String.join(" | ", takers))
                                + ENTRY.replace("_quoin ", "_quoin_disks "));
    }

    /** By what its arguments are called: a new disk is called NAME too. */
    private static boolean takesDisk(String group, String verb, CommandLine command) {
        for (PositionalParamSpec each : command.getCommandSpec().positionalParameters()) {
            String label = each.paramLabel();
            boolean isOwnName =
                    group.equals("disk")
                            && label.equals("NAME")
                            && !verb.equals("create")
                            && !verb.equals("import");
            if (isOwnName || label.contains("DISK") || label.contains("TEMPLATE")) {
                return true;
            }
        }
        return false;
    }
}
