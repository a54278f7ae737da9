package io.zipcomm.collectives.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.buffer.Payload;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CopierTest {

    private static final int BYTES = 200_000;

    private final Copier copier = new Copier();

    @ParameterizedTest
    @CsvSource({"true,true", "true,false", "false,true", "false,false"})
    void shouldCopyBetweenBuffersOfAnyKind(boolean fromDirect, boolean toDirect) {
        ByteBuffer from = buffer(fromDirect);
        ByteBuffer to = buffer(toDirect);
        for (int i = 0; i < BYTES; i++) {
            from.put(i, (byte) (i / 7));
        }
        copier.copy(Payload.of(from.asReadOnlyBuffer()), null, 10, Payload.of(to), null, 20, BYTES - 30);
        for (int i = 0; i < BYTES; i++) {
            assertEquals(i < 20 || i >= BYTES - 10 ? 0 : from.get(i - 10), to.get(i));
        }
    }

    @Test
    void shouldCopyWhateverTheTransportHasSetOnItsView() {
        ByteBuffer memory = buffer(true).put(150_000, (byte) 7);
        Payload from = Payload.of(memory);
        Payload to = Payload.of(buffer(true));
        from.direct().limit(100).position(50);
        to.direct().limit(100).position(50);
        copier.copy(from, null, 0, to, null, 0, BYTES);
        assertEquals(7, to.direct().clear().get(150_000));
    }

    private static ByteBuffer buffer(boolean direct) {
        return direct ? ByteBuffer.allocateDirect(BYTES) : ByteBuffer.allocate(BYTES);
    }
}
