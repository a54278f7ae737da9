package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A peer that acknowledges what it cannot have. */
final class ResumptionTest {

    private static final int BYTES_MAX = 512 << 10;
    private static final int FRAMES = 4;

    private final Resumption resumption = new Resumption(new ReplayPool(BYTES_MAX), BYTES_MAX);
    private final ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
    private final OutboundFrame frame = new OutboundFrame();

    private void record() {
        for (int sequence = 1; sequence <= FRAMES; sequence++) {
            frame.clear();
            Frame.begin(header, 0, FrameType.DATA);
            Frame.sequence(header, 0, sequence);
            Frame.payloadBytes(header, 0, 100);
            frame.payload = Payload.of(new byte[100]);
            frame.bytes = 100;
            resumption.replay().record(header, 0, frame, 100);
            resumption.replay().taken();
        }
    }

    private void acknowledge(long sequence) {
        Frame.begin(header, 0, FrameType.ACK);
        Frame.credit(header, 0, sequence);
        resumption.told(FRAMES, header, 0);
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 3, 4, 5})
    void shouldRefuseAnAcknowledgementOfWhatIsStillLeaving(long sequence) {
        record();
        acknowledge(1);
        frame.clear();
        resumption.replayNext(header, 0, frame);
        assertEquals(2, resumption.replay().leaving());
        ZipException refused = assertThrows(ZipException.class, () -> acknowledge(sequence));
        assertEquals(ErrorCode.PROTOCOL, refused.code());
        assertEquals(2, resumption.replay().oldestSequence());
    }

    @Test
    void shouldTakeAnAcknowledgementOfWhatHasLeft() {
        record();
        acknowledge(FRAMES);
        assertTrue(resumption.replay().isEmpty());
    }
}
