package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.buffer.Payload;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.membership.GroupView;
import io.zipcomm.membership.Member;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.Transport;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.SessionKey;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A link whose peer moves to another path before that is open here, and what frames are like on it. */
final class LinkTest {

    private static final int EPOCH = 3;
    private static final long S = 1_000_000_000;

    private final TestPath relay = new TestPath("relay", false);
    private long nowNs = 77 * S;
    private final Link link = new Link(engine(), 1);

    /** Does nothing, and notes what is done to it. */
    private static final class TestPath implements Path {
        private final String name;
        private final boolean forgettable;
        private boolean open;
        private boolean closed;
        private boolean takesFollowers = true;

        TestPath(String name, boolean forgettable) {
            this.name = name;
            this.forgettable = forgettable;
        }

        @Override
        public int peer() {
            return 1;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public int fragmentBytesMax() {
            return 1 << 16;
        }

        @Override
        public boolean isForgettable() {
            return forgettable;
        }

        @Override
        public boolean takesFollowers() {
            return takesFollowers;
        }

        @Override
        public int missingBytes() {
            return 0;
        }

        @Override
        public void bind(FrameHandler handler) {}

        @Override
        public void openInput() {
            open = true;
        }

        @Override
        public void flush() {}

        @Override
        public void release(Object attachment) {}

        @Override
        public void closeOutput() {}

        @Override
        public void close() {
            closed = true;
        }
    }

    private Engine engine() {
        List<Member> members = List.of(
                new Member(0, "here", List.of(), List.of("tcp")), new Member(1, "there", List.of(), List.of("tcp")));
        GroupView view =
                new GroupView("s", EPOCH, 0, members, new SessionKey(new byte[SessionKey.BYTES]), 1 << 20, 1 << 16);
        ZipSettings settings =
                ZipSettings.builder().session("s").size(2).rank(0).build();
        return new Engine(view, stub(Transport.class), stub(ControlPlane.class), settings, () -> nowNs, false);
    }

    /** What is told only. */
    private static <T> T stub(Class<T> type) {
        return type.cast(
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (stub, method, values) -> null));
    }

    private TestPath direct() {
        return new TestPath("tcp", true);
    }

    private void peerMoves() {
        ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
        Frame.begin(header, 0, FrameType.SWITCH);
        Frame.epoch(header, 0, EPOCH);
        Frame.source(header, 0, 1);
        Frame.destination(header, 0, 0);
        Frame.sequence(header, 0, 1);
        InboundFrame frame = new InboundFrame();
        link.headerReceived(relay, header, 0, frame);
        link.frameReceived(relay, frame);
    }

    private void oneBreaks() {
        TestPath broken = direct();
        link.opened(broken);
        link.ended(broken, new ZipException(ErrorCode.PEER_LOST, "broke"));
        assertTrue(broken.closed);
    }

    @Test
    void shouldWaitForTheNewPathThoughAnotherBrokeLongAgo() {
        link.begin(relay);
        oneBreaks();
        nowNs += 10 * S;
        peerMoves();
        TestPath next = direct();
        link.opened(next);
        assertFalse(next.closed);
        assertTrue(next.open);
        assertEquals(0, link.resumptions());
    }

    @Test
    void shouldGoBackAtOnceIfTheNewPathBroke() {
        link.begin(relay);
        oneBreaks();
        nowNs += S;
        peerMoves();
        TestPath next = direct();
        link.opened(next);
        assertTrue(next.closed);
    }

    private OutboundFrame next(Path path, FrameType expected) {
        ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
        OutboundFrame frame = new OutboundFrame();
        assertTrue(link.nextFrame(path, header, 0, frame));
        assertEquals(expected.number(), Frame.type(header, 0));
        if (frame.attachment != null) {
            link.payloadTaken(frame);
        }
        return frame;
    }

    /** Posts two messages to share, and moves to a path. */
    private void moveTo(TestPath path) {
        link.begin(relay);
        for (int i = 0; i < 3; i++) {
            link.sends().post(0, i, 0, Payload.of(new byte[100]), 16, 64, 9 + i, 2, (cookie, value, failure) -> {}, 0);
        }
        next(relay, FrameType.EAGER);
        link.opened(path);
        next(relay, FrameType.SWITCH);
    }

    @Test
    void shouldSayWhatIsSharedWhereFramesAreKept() {
        TestPath direct = direct();
        direct.takesFollowers = false;
        moveTo(direct);
        for (int i = 1; i < 3; i++) {
            OutboundFrame frame = next(direct, FrameType.EAGER);
            assertEquals(0, frame.followers);
            assertEquals(9 + i, frame.share);
            assertEquals(16, frame.shareOffset);
            assertEquals(64, frame.bytes);
        }
        assertEquals(0, link.resumptions());
    }

    @Test
    void shouldSendTogetherWhatMayFollow() {
        TestPath direct = direct();
        moveTo(direct);
        assertEquals(1, next(direct, FrameType.EAGER).followers);
    }

    /** Frames that are kept are others than those of peers whose are not. */
    @Test
    void shouldShareNothingOnOneHostUntilNothingIsKept() {
        TestPath shared = new TestPath("aeron-ipc", false);
        moveTo(shared);
        assertEquals(0, next(shared, FrameType.EAGER).share);
    }

    /** This rank's driver is nobody's fault, and there is another way. */
    @Test
    void shouldGoOnWithoutAMediaDriverWhereThatCanBe() {
        TestPath direct = direct();
        moveTo(direct);
        link.ended(direct, new ZipException(ErrorCode.DRIVER_LOST, "closed"));
        link.resume();
        assertNull(link.failure());
        assertTrue(direct.closed);
        next(relay, FrameType.RESUME);
    }

    @Test
    void shouldFailWithTheMediaDriverOfItsHost() {
        TestPath shared = new TestPath("aeron-ipc", false);
        link.begin(shared);
        link.ended(shared, new ZipException(ErrorCode.DRIVER_LOST, "closed"));
        assertEquals(ErrorCode.DRIVER_LOST, link.failure().code());
    }
}
