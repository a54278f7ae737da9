package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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

    /** The path is lost, and the peer has a number of frames. */
    private void resumeAfter(long sequence) {
        resumption.begin(true, null, null, true);
        Frame.begin(header, 0, FrameType.RESUME);
        Frame.transfer(header, 0, 1);
        Frame.credit(header, 0, sequence);
        resumption.heard(FRAMES, header, 0);
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
        resumeAfter(1);
        frame.clear();
        resumption.replayNext(header, 0, frame);
        assertEquals(2, resumption.replay().leaving());
        ZipException refused = assertThrows(ZipException.class, () -> acknowledge(sequence));
        assertEquals(ErrorCode.PROTOCOL, refused.code());
        assertEquals(2, resumption.replay().oldestSequence());
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 4, 5})
    void shouldRefuseAnAcknowledgementOfWhatHasNotLeftOnceMore(long sequence) {
        record();
        resumeAfter(1);
        frame.clear();
        resumption.replayNext(header, 0, frame);
        resumption.replay().taken();
        ZipException refused = assertThrows(ZipException.class, () -> acknowledge(sequence));
        assertEquals(ErrorCode.PROTOCOL, refused.code());
        acknowledge(2);
        assertEquals(3, resumption.replay().oldestSequence());
    }

    @Test
    void shouldTellOnlyWhatIsDueOfAPathThatIsLeftBehind() {
        resumption.received(Frame.HEADER_BYTES);
        resumption.tellNow();
        resumption.nothingLaterToTell();
        assertTrue(resumption.isTellDue());
        resumption.tell(1, header, 0);
        resumption.received(Frame.HEADER_BYTES);
        assertFalse(resumption.isSettled());
        resumption.nothingLaterToTell();
        assertTrue(resumption.isSettled());
        assertFalse(resumption.isTellDue());
    }

    @Test
    void shouldTakeAnAcknowledgementOfWhatHasLeft() {
        record();
        acknowledge(FRAMES);
        assertTrue(resumption.replay().isEmpty());
    }

    /** As a peer says that has received so many frames, and nothing of the next. */
    private void resumed(int number, long sequence) {
        Frame.begin(header, 0, FrameType.RESUME);
        Frame.transfer(header, 0, number);
        Frame.credit(header, 0, sequence);
        resumption.heard(FRAMES, header, 0);
    }

    /** The flow through the relay began anew before this end had followed, so the peer says it again. */
    @Test
    void shouldTakeAResumeThatIsSaidAgainBeforeThisEndHasFollowed() {
        record();
        resumed(1, 2);
        resumed(1, 2);
        assertTrue(resumption.isAsked());
        resumption.begin(true, null, null, true);
        assertEquals(3, resumption.replay().oldestSequence());
        assertTrue(resumption.isReplaying());
        // And once more, when it has.
        resumed(1, 2);
        assertEquals(3, resumption.replay().oldestSequence());
    }
}
