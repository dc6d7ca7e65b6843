package io.quoin.tools.terminal;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code --output human|json}, and how results are printed.
 *
 * <p>Threading: confined to the main thread.
 */
public class OutputOption {
    /** Apart, since it takes longer to load than most commands do, and few print JSON. */
    private static final class Mapper {
        private static final ObjectMapper LINE =
                new ObjectMapper().setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL);
        private static final ObjectMapper JSON =
                LINE.copy().enable(SerializationFeature.INDENT_OUTPUT);
    }

    /** For whom it is printed. */
    public enum Format {
        human,
        json
    }

    @Option(
            names = "--output",
            paramLabel = "FORMAT",
            description = "human or json (default: ${DEFAULT-VALUE})",
            defaultValue = "human")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Format format;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** Prints {@code result} as JSON, or by {@code human}. */
    public void print(Object result, Consumer<PrintWriter> human) {
        print(result, out(), human);
    }

    /** As above, to another place. */
    public void print(Object result, PrintWriter out, Consumer<PrintWriter> human) {
        if (format == Format.json) {
            out.println(json(result));
        } else {
            human.accept(out);
        }
        out.flush();
    }

    public boolean isJson() {
        return format == Format.json;
    }

    public PrintWriter out() {
        return spec.commandLine().getOut();
    }

    public PrintWriter err() {
        return spec.commandLine().getErr();
    }

    public static String json(Object result) {
        return write(Mapper.JSON, result);
    }

    /** Without line breaks. */
    public static String jsonLine(Object result) {
        return write(Mapper.LINE, result);
    }

    private static String write(ObjectMapper mapper, Object result) {
        try {
            return NameText.json(mapper.writeValueAsString(result));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
