package io.zipcomm.bench.plan;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 8}, {@code 64KiB}, {@code 1MiB}. */
public final class ByteSize {

    private static final Pattern TEXT = Pattern.compile("(\\d{1,18})\\s*(B|KIB|MIB|GIB)?");
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB"};
    private static final int UNIT_BITS = 10;

    private ByteSize() {}

    /**
     * Reads a size.
     *
     * @param text a whole number of bytes, or of {@code KiB}, {@code MiB} or {@code GiB}
     * @return bytes
     * @throws IllegalArgumentException with a message for the user
     */
    public static long parse(String text) {
        Matcher matcher = TEXT.matcher(text.trim().toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a size: write bytes, or KiB, MiB, GiB, such as 8, 64KiB, 1MiB");
        }
        long number = Long.parseLong(matcher.group(1));
        int shift = shift(matcher.group(2));
        if (number > Long.MAX_VALUE >> shift) {
            throw new IllegalArgumentException("'" + text + "' is too large a size");
        }
        return number << shift;
    }

    private static int shift(String unit) {
        for (int i = 0; i < UNITS.length; i++) {
            if (UNITS[i].equalsIgnoreCase(unit)) {
                return i * UNIT_BITS;
            }
        }
        return 0;
    }

    /** A size in a sentence: like {@link #format}, with a unit always. */
    public static String describe(long bytes) {
        String text = format(bytes);
        return Character.isDigit(text.charAt(text.length() - 1)) ? text + " B" : text;
    }

    /**
     * Writes a size so that {@link #parse} reads it back.
     *
     * @param bytes not negative
     * @return in the largest unit of which it is a whole number; plain bytes without a unit
     */
    public static String format(long bytes) {
        int unit = 0;
        long number = bytes;
        while (unit < UNITS.length - 1 && number != 0 && number % (1 << UNIT_BITS) == 0) {
            number >>= UNIT_BITS;
            unit++;
        }
        return unit == 0 ? Long.toString(bytes) : number + UNITS[unit];
    }
}
