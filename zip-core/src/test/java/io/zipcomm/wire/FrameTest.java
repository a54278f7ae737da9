package io.zipcomm.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Pins the layout: a change here is a new version of the wire format. */
class FrameTest {

    @Test
    void shouldPlaceEveryFieldInLittleEndianOrder() {
        ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
        Frame.begin(header, 0, FrameType.REQUEST);
        Frame.flags(header, 0, 0x0201);
        Frame.payloadBytes(header, 0, 0x06050403);
        Frame.epoch(header, 0, 0x0a090807);
        Frame.context(header, 0, 0x0e0d0c0b);
        Frame.source(header, 0, 0x1211100f);
        Frame.destination(header, 0, 0x16151413);
        Frame.sequence(header, 0, 0x1e1d1c1b1a191817L);
        Frame.tag(header, 0, 0x262524232221201fL);
        Frame.credit(header, 0, 0x2e2d2c2b2a292827L);
        Frame.messageBytes(header, 0, 0x363534333231302fL);
        Frame.transfer(header, 0, 0x3a393837);
        Frame.signature(header, 0, 0x3e3d3c3b);

        byte[] expected = new byte[64];
        expected[0] = 1;
        expected[1] = 4;
        for (int i = 2; i < expected.length; i++) {
            expected[i] = (byte) (i - 1);
        }
        byte[] actual = new byte[64];
        header.get(0, actual);
        assertEquals(ByteBuffer.wrap(expected), ByteBuffer.wrap(actual));
    }

    @Test
    void shouldReadBackWhatWasWrittenAtAnyPlace() {
        Random random = new Random(7);
        ByteBuffer bytes = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at <= 136; at += 17) {
            random.nextBytes(bytes.array());
            Frame.begin(bytes, at, FrameType.DATA);
            Frame.flags(bytes, at, 0xfffe);
            Frame.offset(bytes, at, Long.MAX_VALUE - 1);
            Frame.messageBytes(bytes, at, 77);
            assertEquals(Frame.VERSION, Frame.version(bytes, at));
            assertEquals(FrameType.DATA.number(), Frame.type(bytes, at));
            assertEquals(0xfffe, Frame.flags(bytes, at));
            assertEquals(Long.MAX_VALUE - 1, Frame.offset(bytes, at));
            assertEquals(77, Frame.messageBytes(bytes, at));
            assertEquals(0, Frame.sequence(bytes, at), "begin() must zero what is not set");
            assertEquals(0, Frame.signature(bytes, at), "begin() must zero what is not set");
        }
    }

    @Test
    void shouldNumberTypesStably() {
        String[] names = {
            "HELLO", "CONTROL", "EAGER", "REQUEST", "CLEAR", "DATA", "CREDIT", "SWITCH", "BYE", "PROBE", "CANCEL",
            "FLOW", "ACK", "RESUME", "REST", "PING", "PONG"
        };
        for (int number = 1; number <= names.length; number++) {
            assertEquals(names[number - 1], FrameType.of(number).name());
        }
        String[] hub = {"ENTER", "PART", "GRANT", "VERDICT", "WITHDRAW"};
        for (int i = 0; i < hub.length; i++) {
            assertEquals(hub[i], FrameType.of(18 + i).name());
        }
        assertNull(FrameType.of(0));
        assertEquals(FrameType.RESET, FrameType.of(23));
        assertNull(FrameType.of(26));
        assertNull(FrameType.of(31));
        assertNull(FrameType.of(-1));
        assertNull(FrameType.of(255));
    }

    @Test
    void shouldNumberAllLinkFramesButThoseThatSpeakOfTheSequenceOrHoldAnother() {
        for (FrameType type : FrameType.values()) {
            boolean speaks = type == FrameType.ACK || type == FrameType.RESUME;
            boolean holds = type == FrameType.SEALED;
            assertEquals(type.isLinkFrame() && !speaks && !holds, type.isNumbered(), type.name());
        }
    }

    @Test
    void shouldAcceptSealedFramesThatCanHoldAHeader() {
        ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
        Frame.begin(header, 0, FrameType.SEALED);
        Frame.payloadBytes(header, 0, Frame.SEALED_BYTES);
        assertNull(Frame.problem(header, 0));
        Frame.payloadBytes(header, 0, Frame.SEALED_BYTES - 1);
        assertEquals("SEALED frame of 79 bytes, expected at least 80", Frame.problem(header, 0));
    }

    @Test
    void shouldKeepAChecksumWhereTheTypeNeedsNothingElse() {
        ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
        Frame.begin(header, 0, FrameType.EAGER);
        Frame.signature(header, 0, 7);
        Frame.checksum(header, 0, 0x12345678);
        assertEquals(0x12345678, Frame.transfer(header, 0));
        assertEquals(7, Frame.signature(header, 0));
        Frame.begin(header, 0, FrameType.DATA);
        Frame.transfer(header, 0, 7);
        Frame.checksum(header, 0, 0x12345678);
        assertEquals(0x12345678, Frame.checksum(header, 0));
        assertEquals(7, Frame.transfer(header, 0));
    }

    @Test
    void shouldAcceptWellFormedHeadersOnly() {
        ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
        Frame.begin(header, 0, FrameType.EAGER);
        Frame.payloadBytes(header, 0, 8);
        Frame.messageBytes(header, 0, 8);
        assertNull(Frame.problem(header, 0));
        Frame.messageBytes(header, 0, 9);
        assertNotNull(Frame.problem(header, 0), "an eager frame holds the whole message");

        Frame.begin(header, 0, FrameType.DATA);
        Frame.payloadBytes(header, 0, 8);
        Frame.offset(header, 0, 92);
        Frame.messageBytes(header, 0, 100);
        assertNull(Frame.problem(header, 0));
        Frame.offset(header, 0, 93);
        assertNotNull(Frame.problem(header, 0), "data past the message's end");
        Frame.offset(header, 0, -1);
        assertNotNull(Frame.problem(header, 0), "a negative offset");
        Frame.offset(header, 0, Long.MAX_VALUE);
        assertNotNull(Frame.problem(header, 0), "an offset that overflows");

        Frame.begin(header, 0, FrameType.PART);
        assertNull(Frame.problem(header, 0), "the result of an empty message");
        Frame.messageBytes(header, 0, 100);
        assertNotNull(Frame.problem(header, 0), "a part of nothing");
        Frame.payloadBytes(header, 0, 8);
        Frame.offset(header, 0, 92);
        assertNull(Frame.problem(header, 0));
        Frame.offset(header, 0, 93);
        assertNotNull(Frame.problem(header, 0), "a part past the message's end");
        Frame.begin(header, 0, FrameType.ENTER);
        Frame.payloadBytes(header, 0, 8);
        assertNull(Frame.problem(header, 0));
        Frame.payloadBytes(header, 0, 7);
        assertNotNull(Frame.problem(header, 0), "ranks of four bytes each");
        Frame.payloadBytes(header, 0, 0);
        Frame.messageBytes(header, 0, -1);
        assertNotNull(Frame.problem(header, 0), "a negative message");

        Frame.begin(header, 0, FrameType.CREDIT);
        Frame.payloadBytes(header, 0, 1);
        assertNotNull(Frame.problem(header, 0), "a payload where there is none");
        Frame.payloadBytes(header, 0, Integer.MIN_VALUE);
        assertNotNull(Frame.problem(header, 0), "a negative length");
        Frame.begin(header, 0, FrameType.CONTROL);
        Frame.payloadBytes(header, 0, Frame.PAYLOAD_BYTES_MAX + 1);
        assertNotNull(Frame.problem(header, 0), "a length over the limit");

        Frame.begin(header, 0, FrameType.CREDIT);
        header.put(Frame.VERSION_OFFSET, (byte) 2);
        assertTrue(Frame.problem(header, 0).contains("version 2"), Frame.problem(header, 0));
    }

    @Test
    void shouldNeverThrowOnRandomHeaders() {
        Random random = new Random(42);
        byte[] bytes = new byte[Frame.HEADER_BYTES];
        ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int wellFormed = 0;
        for (int i = 0; i < 300_000; i++) {
            random.nextBytes(bytes);
            bytes[Frame.VERSION_OFFSET] = (byte) Frame.VERSION;
            bytes[Frame.TYPE_OFFSET] = (byte) random.nextInt(FrameType.values().length + 2);
            if (random.nextBoolean()) {
                Frame.payloadBytes(header, 0, random.nextInt(3));
                Frame.messageBytes(header, 0, random.nextInt(3));
            }
            if (Frame.problem(header, 0) == null) {
                wellFormed++;
                assertTrue(Frame.payloadBytes(header, 0) >= 0);
                assertTrue(Frame.payloadBytes(header, 0) <= Frame.PAYLOAD_BYTES_MAX);
            }
        }
        assertTrue(wellFormed > 1000, "the generator should make some well-formed headers: " + wellFormed);
    }
}
