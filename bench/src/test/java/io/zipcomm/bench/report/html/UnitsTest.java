package io.zipcomm.bench.report.html;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class UnitsTest {

    @Test
    void shouldChooseTheUnitThatFits() {
        assertEquals("0.456 µs", Units.time(0.456));
        assertEquals("12.0 µs", Units.time(12));
        assertEquals("1.00 ms", Units.time(999.6));
        assertEquals("999 µs", Units.time(999.4));
        assertEquals("1.23 s", Units.time(1_234_000));
        assertEquals("12345 s", Units.time(12_345e6));
        assertEquals("8 B", Units.size(8));
        assertEquals("1000 B", Units.size(1000));
        assertEquals("64 KiB", Units.size(64 << 10));
        assertEquals("16 MiB", Units.size(16 << 20));
        assertEquals("1.50 KiB", Units.bytes(1536));
        assertEquals("64 B", Units.bytes(64));
        assertEquals("0 B", Units.bytes(0));
        assertEquals("4.25 GB/s", Units.bandwidth(4.25));
        assertEquals("136 kB/s", Units.bandwidth(0.000136));
        assertEquals("0", Units.count(0));
        assertEquals("1.20 k", Units.count(1200));
    }

    @Test
    void shouldKeepThreeDigitsWhenRoundingAddsOne() {
        assertEquals("10.0×", Units.ratio(9.996));
        assertEquals("0.0765×", Units.ratio(0.0765));
    }
}
