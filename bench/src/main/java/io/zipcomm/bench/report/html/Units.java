package io.zipcomm.bench.report.html;

import io.zipcomm.bench.plan.ByteSize;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as people read them: three digits and the unit that fits. */
final class Units {

    private static final String[] TIMES = {"µs", "ms", "s"};
    private static final String[] BYTES = {"B", "KiB", "MiB", "GiB"};
    private static final String[] BANDWIDTHS = {"kB/s", "MB/s", "GB/s"};
    private static final String[] COUNTS = {"", "k", "M", "G"};
    private static final MathContext DIGITS = new MathContext(3);
    private static final double THOUSAND = 1000;
    private static final int BINARY = 1024;

    /** From here on rounding to three digits makes the next unit's 1.00. */
    private static final double ROUNDS_UP = 999.5;

    private Units() {}

    /** A time, from microseconds. */
    static String time(double micros) {
        return scaled(micros, THOUSAND, TIMES);
    }

    /** A message size, exactly. */
    static String size(long bytes) {
        String text = ByteSize.format(bytes);
        int unit = text.length();
        while (unit > 0 && !Character.isDigit(text.charAt(unit - 1))) {
            unit--;
        }
        return text.substring(0, unit) + " " + (unit == text.length() ? "B" : text.substring(unit));
    }

    /** An amount of bytes, rounded. */
    static String bytes(double bytes) {
        return stripped(scaled(bytes, BINARY, BYTES));
    }

    /** A count, rounded. */
    static String count(double value) {
        return stripped(scaled(value, THOUSAND, COUNTS)).trim();
    }

    /** A bandwidth, from 10^9 bytes a second. */
    static String bandwidth(double gigabytes) {
        return scaled(gigabytes * THOUSAND * THOUSAND, THOUSAND, BANDWIDTHS);
    }

    /** A ratio. */
    static String ratio(double value) {
        return digits(value) + "×";
    }

    /** A fraction such as an efficiency. */
    static String fraction(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    /** A fraction as a percentage. */
    static String percent(double value) {
        return String.format(Locale.ROOT, "%.0f %%", 100 * value);
    }

    private static String scaled(double value, double step, String[] units) {
        double number = value;
        int unit = 0;
        while (unit < units.length - 1 && number >= (step == THOUSAND ? ROUNDS_UP : step)) {
            number /= step;
            unit++;
        }
        return digits(number) + " " + units[unit];
    }

    /** Three significant digits; what is before the point in full. */
    private static String digits(double value) {
        if (value >= ROUNDS_UP || value == 0) {
            return String.format(Locale.ROOT, "%.0f", value);
        }
        BigDecimal rounded = new BigDecimal(value).round(DIGITS);
        int digitsBeforePoint = rounded.precision() - rounded.scale();
        return rounded.setScale(Math.max(0, DIGITS.getPrecision() - digitsBeforePoint), RoundingMode.UNNECESSARY)
                .toPlainString();
    }

    /** Without digits that say nothing of a whole number. */
    private static String stripped(String text) {
        return text.replaceFirst("\\.0+ ", " ");
    }
}
