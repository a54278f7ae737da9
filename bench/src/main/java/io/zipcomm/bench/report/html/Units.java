package io.zipcomm.bench.report.html;

import io.zipcomm.bench.plan.ByteSize;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Numbers as people read them: three digits and the unit that fits. */
final class Units {

    private static final String[] TIMES = {"µs", "ms", "s"};
    private static final String[] COUNTS = {"", " k", " M", " G"};
    private static final MathContext DIGITS = new MathContext(3);
    private static final double THOUSAND = 1000;
    private static final int BINARY = 1024;

    /** From here on rounding to three digits makes the next unit's 1.00. */
    private static final double ROUNDS_UP = 999.5;

    private Units() {}

    /** A time, from microseconds. */
    static String time(double micros) {
        return scaled(micros, THOUSAND, TIMES, " ");
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
        return scaled(bytes, BINARY, new String[] {"B", "KiB", "MiB", "GiB"}, " ");
    }

    /** A count, rounded. */
    static String count(double value) {
        return scaled(value, THOUSAND, COUNTS, "");
    }

    /** A bandwidth, from 10^9 bytes a second. */
    static String bandwidth(double gigabytes) {
        return scaled(gigabytes * THOUSAND * THOUSAND, THOUSAND, new String[] {"kB/s", "MB/s", "GB/s"}, " ");
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

    private static String scaled(double value, double step, String[] units, String space) {
        double number = value;
        int unit = 0;
        while (unit < units.length - 1 && number >= (step == THOUSAND ? ROUNDS_UP : step)) {
            number /= step;
            unit++;
        }
        return digits(number) + space + units[unit];
    }

    /** Three significant digits; whole numbers in full. */
    private static String digits(double value) {
        if (value >= ROUNDS_UP || value == 0) {
            return String.format(Locale.ROOT, "%.0f", value);
        }
        return new BigDecimal(value).round(DIGITS).stripTrailingZeros().toPlainString();
    }
}
