package io.quoin.management.cli.terminal;

import io.quoin.block.BlockException;
import io.quoin.management.volume.ByteSize;
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
