package io.zipcomm.bench.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ByteSizeTest {

    @ParameterizedTest
    @CsvSource({"0,0", "8,8", "8B,8", "1KiB,1024", "64KiB,65536", "1MiB,1048576", "16mib,16777216", "2 GiB,2147483648"})
    void shouldReadWhatPeopleWrite(String text, long bytes) {
        assertEquals(bytes, ByteSize.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "KiB", "-1", "1.5MiB", "64KB", "1M", "0x10", "8,8", "9999999999999999999"})
    void shouldRefuseAndSayHowToWriteIt(String text) {
        IllegalArgumentException problem = assertThrows(IllegalArgumentException.class, () -> ByteSize.parse(text));
        assertTrue(problem.getMessage().contains("64KiB"), problem.getMessage());
    }

    @Test
    void shouldRefuseSizesThatOverflow() {
        assertThrows(IllegalArgumentException.class, () -> ByteSize.parse("999999999999999999GiB"));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 8, 1000, 1024, 1536, 65536, 1 << 20, (1 << 20) + 1, 3L << 30})
    void shouldReadBackWhatItWrites(long bytes) {
        assertEquals(bytes, ByteSize.parse(ByteSize.format(bytes)));
    }

    @Test
    void shouldWriteTheLargestWholeUnit() {
        assertEquals("64KiB", ByteSize.format(65536));
        assertEquals("1536", ByteSize.format(1536));
        assertEquals("0", ByteSize.format(0));
    }
}
