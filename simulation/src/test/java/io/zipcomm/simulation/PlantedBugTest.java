package io.zipcomm.simulation;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The checks of {@link SimulationTest} find defects in what keeps groups right: here are some. */
@Tag("once")
final class PlantedBugTest {

    private static final int PROGRAMS_MAX = 400;

    /** What an entry costs beside its payload. */
    private static final int ENTRY_BYTES = 512;

    /** An operation waits for what was lost until its time is over, or the link misses it as soon as something else comes. */
    private static final String NOTHING_COMES =
            "nothing that struck explains it: .*(DEADLINE: |PROTOCOL: .* expected sequence )";

    /**
     * The link has had this one already, or not yet the one before it, or nothing to which its credit could belong, or it is of another
     * operation. On a link that is closing nobody sees more of it than that the books of both ends differ.
     */
    private static final String OUT_OF_TURN =
            "nothing that struck explains it: .*(PROTOCOL: .*(expected sequence|impossible credit) |OPERATION_MISMATCH: )"
                    + "|credit leaks from ";

    /**
     * Runs programs until the checks find something; what they find must be what this defect does, in words of theirs, and nothing else may
     * be thrown. The same program without the defect is clean.
     */
    private static void expectFound(Set<Fault> faults, Supplier<Plant> plant, String problem) {
        Runs runs = new Runs(faults, plant, "PlantedBugTest");
        for (long seed = 1; seed <= PROGRAMS_MAX; seed++) {
            List<String> problems = problems(runs, seed);
            if (!problems.isEmpty()) {
                System.out.println("program " + seed + ": " + problems);
                assertTrue(problems.stream().anyMatch(Pattern.compile(problem).asPredicate()), problems::toString);
                for (String other : problems) {
                    boolean ofPlant = other.contains(" threw ") && !other.contains(Step.Wrong.class.getName());
                    assertFalse(ofPlant, other);
                }
                new Runs(faults, () -> Plant.NONE, "PlantedBugTest").one(seed, Runs.newAllocator());
                return;
            }
        }
        fail("not found in " + runs);
    }

    private static List<String> problems(Runs runs, long seed) {
        try {
            runs.one(seed, Runs.newAllocator());
            return List.of();
        } catch (Runs.Violation found) {
            return found.problems();
        }
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
        expectFound(Set.of(Fault.KILL), FlippedAnswer::new, "members do not agree|not what members said");
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
        expectFound(Set.of(Fault.KILL), ForgottenDeath::new, "members do not agree");
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
        public boolean isForgettable() {
            return inner.isForgettable();
        }

        @Override
        public int missingBytes() {
            return inner.missingBytes();
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

    /** Tells what it is told. */
    private static class TappedEvents implements PathEvents {
        private final PathEvents inner;

        TappedEvents(PathEvents inner) {
            this.inner = inner;
        }

        @Override
        public void opened(Path path) {
            inner.opened(path);
        }

        @Override
        public void unreachable(int peer, String reason) {
            inner.unreachable(peer, reason);
        }

        @Override
        public void punchWanted(int peer) {
            inner.punchWanted(peer);
        }

        @Override
        public void relayAway(String reason) {
            inner.relayAway(reason);
        }

        @Override
        public void flowBegan(int peer) {
            inner.flowBegan(peer);
        }

        @Override
        public void hubBack() {
            inner.hubBack();
        }

        @Override
        public void relayLost(String reason) {
            inner.relayLost(reason);
        }
    }

    private static String pair(Host host, int peer) {
        return host + " " + peer;
    }

    /** Leaves out the frame that was given out, and gives out the next. */
    private static boolean skip(TappedPath path, ByteBuffer header, int at, OutboundFrame out) {
        if (out.payload != null) {
            path.handler().payloadTaken(out);
        }
        out.clear();
        return path.handler().nextFrame(path, header, at, out);
    }

    private static boolean isMessage(ByteBuffer header, int at) {
        int type = Frame.type(header, at);
        return type == FrameType.EAGER.number() || type == FrameType.DATA.number();
    }

    /** When a link has lost its direct path, the first frame of a message that it sends through the relay is lost. */
    private static final class LostFrame implements Plant {
        private final Map<String, Integer> opened = new HashMap<>();

        @Override
        public PathEvents events(Host host, PathEvents events) {
            return new TappedEvents(events) {
                @Override
                public void opened(Path path) {
                    opened.put(pair(host, path.peer()), 1);
                    super.opened(path);
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
                    return lost ? skip(this, header, at, out) : any;
                }
            };
        }
    }

    @Test
    void shouldFindThatAFrameIsNotSentAgain() {
        expectFound(Set.of(Fault.RESET_DIRECT, Fault.FORGET_DIRECT), LostFrame::new, NOTHING_COMES);
    }

    private static Set<Fault> resetsOfData() {
        return Set.of(Fault.RESET_DATA, Fault.RESET_RELAYED);
    }

    /** Where the path through the relay began anew, as links hear of it. */
    private abstract static class AfterReturn implements Plant {
        private final Set<String> began = new HashSet<>();

        @Override
        public PathEvents events(Host host, PathEvents events) {
            return new TappedEvents(events) {
                @Override
                public void flowBegan(int peer) {
                    began.add(pair(host, peer));
                    super.flowBegan(peer);
                }
            };
        }

        /** Once for each time. */
        final boolean takeBegan(Host host, int peer) {
            return began.remove(pair(host, peer));
        }
    }

    /** When the path through the relay has begun anew, the first frame of a message that is sent there is lost. */
    private static final class LostOnReturn extends AfterReturn {
        @Override
        public Path relayed(Host host, int epoch, Path path) {
            return new TappedPath(path) {
                @Override
                public boolean nextFrame(Path from, ByteBuffer header, int at, OutboundFrame out) {
                    boolean any = handler().nextFrame(this, header, at, out);
                    boolean lost = any && isMessage(header, at) && takeBegan(host, peer());
                    return lost ? skip(this, header, at, out) : any;
                }
            };
        }
    }

    @Test
    void shouldFindThatAFrameIsLostWhenARankIsBack() {
        expectFound(resetsOfData(), LostOnReturn::new, NOTHING_COMES);
    }

    /** When the path through the relay has begun anew, an empty message that comes in there comes once more, as the next. */
    private static final class TwiceOnReturn extends AfterReturn {
        @Override
        public Path relayed(Host host, int epoch, Path path) {
            return new TappedPath(path) {
                private byte[] message;

                @Override
                public void headerReceived(Path from, ByteBuffer header, int at, InboundFrame in) {
                    boolean empty =
                            Frame.type(header, at) == FrameType.EAGER.number() && Frame.payloadBytes(header, at) == 0;
                    if (empty && takeBegan(host, peer())) {
                        message = new byte[Frame.HEADER_BYTES];
                        header.get(at, message);
                    }
                    super.headerReceived(from, header, at, in);
                }

                @Override
                public void frameReceived(Path from, InboundFrame in) {
                    super.frameReceived(from, in);
                    if (message != null) {
                        ByteBuffer header = Frame.allocate(Frame.HEADER_BYTES);
                        header.put(0, message);
                        message = null;
                        Frame.sequence(header, 0, Frame.sequence(header, 0) + 1);
                        InboundFrame again = new InboundFrame();
                        handler().headerReceived(this, header, 0, again);
                        handler().frameReceived(this, again);
                    }
                }
            };
        }
    }

    @Test
    void shouldFindThatAMessageComesTwiceWhenARankIsBack() {
        expectFound(resetsOfData(), TwiceOnReturn::new, OUT_OF_TURN);
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
        expectFound(Set.of(Fault.KILL), StaleFrame::new, OUT_OF_TURN);
    }

    // ---- credit

    /** A path through the relay tells the peer of less than was released, by one entry, from some time on. */
    private static final class LeakedCredit implements Plant {
        @Override
        public Path relayed(Host host, int epoch, Path path) {
            return new TappedPath(path) {
                private long told;

                @Override
                public boolean nextFrame(Path from, ByteBuffer header, int at, OutboundFrame out) {
                    boolean any = handler().nextFrame(this, header, at, out);
                    if (any) {
                        told = Math.max(told, Frame.credit(header, at) - ENTRY_BYTES);
                        Frame.credit(header, at, told);
                    }
                    return any;
                }
            };
        }
    }

    @Test
    void shouldFindThatCreditLeaks() {
        expectFound(Set.of(), LeakedCredit::new, "credit leaks from ");
    }
}
