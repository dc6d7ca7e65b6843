package io.quoin.tools.terminal;

import io.quoin.block.BlockException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A size on the command line.
 *
 * <p>Threading: immutable.
 */
public final class SizeConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
        try {
            return ByteSize.parse(text);
        } catch (BlockException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }
}
