package io.zipcomm.bench.cli;

import io.zipcomm.bench.plan.ByteSize;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes of one message, on the command line. */
final class Sizes implements ITypeConverter<Long> {

    /** A message is one piece of memory, and Java's end here; a little less, for rounding up to whole blocks. */
    static final long BYTES_MAX = 1L << 30;

    @Override
    public Long convert(String text) {
        try {
            long bytes = ByteSize.parse(text);
            if (bytes > BYTES_MAX) {
                throw new TypeConversionException(
                        "'" + text + "' is more than the largest size, " + ByteSize.format(BYTES_MAX));
            }
            return bytes;
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
