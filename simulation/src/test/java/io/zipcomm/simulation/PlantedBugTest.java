package io.zipcomm.simulation;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.zipcomm.error.ZipException;
import io.zipcomm.transport.FrameHandler;
import io.zipcomm.transport.InboundFrame;
import io.zipcomm.transport.OutboundFrame;
import io.zipcomm.transport.Path;
import io.zipcomm.transport.PathEvents;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.ToRank;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The checks of {@link SimulationTest} find defects in what keeps groups right: here are some. */
@Tag("once")
final class PlantedBugTest {

    private static final int PROGRAMS_MAX = 400;

    private static void expectFound(Set<Fault> faults, Supplier<Plant> plant) {
        Runs runs = new Runs(faults, plant, "PlantedBugTest");
        AssertionError found = assertThrows(AssertionError.class, () -> runs.each(1, PROGRAMS_MAX, 2, false));
        System.out.println(found.getMessage().lines().limit(2).toList() + ", after " + runs);
    }

    // ---- agreement

    /** One member hears the opposite of what was agreed. */
    private static final class FlippedAnswer implements Plant {
        @Override
        public ToRank heard(Host host, ToRank message) {
            if (!message.hasAgreed() || host.number() != 1) {
                return message;
            }
            ToRank.Builder flipped = message.toBuilder();
            flipped.getAgreedBuilder().setValue(!message.getAgreed().getValue());
            return flipped.build();
        }
    }

    @Test
    void shouldFindThatOneMemberIsToldAnotherAnswer() {
        expectFound(Set.of(Fault.KILL), FlippedAnswer::new);
    }

    /** One member is not told of one that died. */
    private static final class ForgottenDeath implements Plant {
        @Override
        public ToRank heard(Host host, ToRank message) {
            if (!message.hasAgreed() || host.number() != 1) {
                return message;
            }
            ToRank.Builder forgetful = message.toBuilder();
            forgetful.getAgreedBuilder().clearFailed();
            return forgetful.build();
        }
    }

    @Test
    void shouldFindThatOneMemberIsNotToldOfADeath() {
        expectFound(Set.of(Fault.KILL), ForgottenDeath::new);
    }

    // ---- what goes over paths

    /** A path between which and its link something can be done to frames. */
    private abstract static class TappedPath implements Path, FrameHandler {
        private final Path inner;
        private FrameHandler handler;

        TappedPath(Path inner) {
            this.inner = inner;
        }

        final FrameHandler handler() {
            return handler;
        }

        @Override
        public int peer() {
            return inner.peer();
        }

        @Override
        public String name() {
            return inner.name();
        }

        @Override
        public int fragmentBytesMax() {
            return inner.fragmentBytesMax();
        }

        @Override
        public void bind(FrameHandler frames) {
            handler = frames;
            inner.bind(this);
        }

        @Override
        public void openInput() {
            inner.openInput();
        }

        @Override
        public void flush() {
            inner.flush();
        }

        @Override
        public void release(Object attachment) {
            inner.release(attachment);
        }

        @Override
        public void closeOutput() {
            inner.closeOutput();
        }

        @Override
        public void close() {
            inner.close();
        }

        @Override
        public boolean nextFrame(Path path, ByteBuffer header, int at, OutboundFrame out) {
            return handler.nextFrame(this, header, at, out);
        }

        @Override
        public void payloadTaken(OutboundFrame out) {
            handler.payloadTaken(out);
        }

        @Override
        public void headerReceived(Path path, ByteBuffer header, int at, InboundFrame in) {
            handler.headerReceived(this, header, at, in);
        }

        @Override
        public void frameReceived(Path path, InboundFrame in) {
            handler.frameReceived(this, in);
        }

        @Override
        public void ended(Path path, ZipException failure) {
            handler.ended(this, failure);
        }
    }

    private static boolean isMessage(ByteBuffer header, int at) {
        int type = Frame.type(header, at);
        return type == FrameType.EAGER.number() || type == FrameType.DATA.number();
    }

    /** When a link has lost its direct path, the first frame of a message that it sends through the relay is lost. */
    private static final class LostFrame implements Plant {
        private final Map<String, Integer> opened = new HashMap<>();

        private static String pair(Host host, int peer) {
            return host + " " + peer;
        }

        @Override
        public PathEvents events(Host host, PathEvents events) {
            return new PathEvents() {
                @Override
                public void opened(Path path) {
                    opened.put(pair(host, path.peer()), 1);
                    events.opened(path);
                }

                @Override
                public void unreachable(int peer, String reason) {
                    events.unreachable(peer, reason);
                }

                @Override
                public void punchWanted(int peer) {
                    events.punchWanted(peer);
                }

                @Override
                public void relayLost(String reason) {
                    events.relayLost(reason);
                }
            };
        }

        @Override
        public Path relayed(Host host, int epoch, Path path) {
            return new TappedPath(path) {
                private boolean direct;

                @Override
                public boolean nextFrame(Path from, ByteBuffer header, int at, OutboundFrame out) {
                    boolean any = handler().nextFrame(this, header, at, out);
                    direct |= any && Frame.type(header, at) == FrameType.SWITCH.number();
                    boolean lost = any && direct && isMessage(header, at) && opened.remove(pair(host, peer())) != null;
                    if (!lost) {
                        return any;
                    }
                    if (out.payload != null) {
                        handler().payloadTaken(out);
                    }
                    out.clear();
                    return handler().nextFrame(this, header, at, out);
                }
            };
        }
    }

    @Test
    void shouldFindThatAFrameIsNotSentAgain() {
        expectFound(Set.of(Fault.RESET_DIRECT, Fault.FORGET_DIRECT), LostFrame::new);
    }

    /** A frame of the epoch before comes in the next, ahead of the one with its sequence number, as if nobody looked at epochs. */
    private static final class StaleFrame implements Plant {
        private final Map<Host, Map<List<Long>, byte[]>> stale = new HashMap<>();

        @Override
        public Path relayed(Host host, int epoch, Path path) {
            Map<List<Long>, byte[]> frames = stale.computeIfAbsent(host, any -> new HashMap<>());
            return new TappedPath(path) {

                @Override
                public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {
                    if (Frame.type(header, at) == FrameType.EAGER.number() && Frame.payloadBytes(header, at) == 0) {
                        byte[] bytes = new byte[Frame.HEADER_BYTES];
                        header.get(at, bytes);
                        byte[] before =
                                frames.put(List.of((long) Frame.source(header, at), Frame.sequence(header, at)), bytes);
                        if (before != null
                                && Frame.epoch(ByteBuffer.wrap(before).order(header.order()), 0) < epoch) {
                            takeIn(before);
                        }
                    }
                    super.headerReceived(from, header, at, in);
                }

                private void takeIn(byte[] late) {
                    ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
                    header.put(0, late);
                    Frame.epoch(header, 0, epoch);
                    InboundFrame in = new InboundFrame();
                    handler().headerReceived(this, header, 0, in);
                    handler().frameReceived(this, in);
                }
            };
        }
    }

    @Test
    void shouldFindThatAFrameOfTheEpochBeforeIsTakenIn() {
        expectFound(Set.of(Fault.KILL), StaleFrame::new);
    }
}
