package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.FrameType;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.MemberGone.Cause;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Operations of which the relay does a part, frame by frame. Each test ends with nothing left in the relay. */
@Tag("once")
final class HubTest {

    private static final long SEED = 24;

    private RelayFixture fixture = new RelayFixture(RelayFixture.insecure());

    @AfterEach
    void stop() {
        fixture.close();
    }

    private List<HubRank> group(int size) {
        return group("s", size);
    }

    private List<HubRank> group(String session, int size) {
        return new ArrayList<>(
                fixture.group(session, size).stream().map(HubRank::new).toList());
    }

    private static void all(List<HubRank> group, int kind, long bytes) {
        group.forEach(one -> {
            one.kind = kind;
            one.bytes = bytes;
        });
    }

    private void awaitKept(long bytes) {
        Await.until(bytes + " bytes are kept", () -> fixture.relay.stats().bytesWaiting() == bytes);
    }

    /** Hides the services of this class path. */
    private static final class WithoutServices extends ClassLoader {
        WithoutServices(ClassLoader parent) {
            super(parent);
        }

        @Override
        public Enumeration<URL> getResources(String name) throws IOException {
            return name.startsWith("META-INF/services/io.zipcomm.")
                    ? Collections.emptyEnumeration()
                    : super.getResources(name);
        }
    }

    /** Ranks that are told otherwise would ask for what is refused. */
    @Test
    void shouldAnnounceReductionOnlyWhereSomethingCombines() {
        assertTrue(fixture.group("with", 1).get(0).view.getHubReduces());
        Thread thread = Thread.currentThread();
        ClassLoader own = thread.getContextClassLoader();
        RelayFixture bare;
        try {
            // Threads of the relay look where the thread that starts them looks.
            thread.setContextClassLoader(new WithoutServices(own));
            bare = new RelayFixture(RelayFixture.insecure());
        } finally {
            thread.setContextClassLoader(own);
        }
        try (bare) {
            assertFalse(bare.group("without", 1).get(0).view.getHubReduces());
        }
    }

    /** What goes out before the last of what goes in has come. */
    @Test
    void shouldSendTheFirstPartBeforeTheLastHasCome() {
        for (int kind : new int[] {Enter.MULTICAST, Enter.REDUCE, Enter.ALL_REDUCE}) {
            List<HubRank> group = group("kind-" + kind, 3);
            int part = group.get(0).partBytes();
            all(group, kind, 2L * part);
            group.forEach(one -> one.enters(1));
            for (int at : new int[] {0, part}) {
                for (HubRank one : kind == Enter.MULTICAST ? group.subList(0, 1) : group) {
                    one.contributes(1, at, HubRank.filled(part, 1 + one.rank.rank()));
                }
                List<HubRank> receivers = kind == Enter.MULTICAST
                        ? group.subList(1, 3)
                        : kind == Enter.REDUCE ? group.subList(0, 1) : group;
                for (HubRank one : receivers) {
                    assertArrayEquals(HubRank.filled(part, kind == Enter.MULTICAST ? 1 : 6), one.expectPart(1, at));
                }
            }
            if (kind == Enter.MULTICAST) {
                group.subList(1, 3).forEach(one -> one.done(1));
            }
            if (kind != Enter.ALL_REDUCE) {
                group.get(kind == Enter.MULTICAST ? 0 : 2).expectFinished(1);
            }
        }
        awaitKept(0);
    }

    @Test
    void shouldAddInRankOrderInWhateverOrderPartsCome() {
        Random random = new Random(SEED);
        int size = 5;
        List<HubRank> group = group(size);
        int part = group.get(0).partBytes();
        for (int round = 1; round <= 30; round++) {
            long bytes = 4L * (1 + random.nextInt(part));
            float[][] data = new float[size][(int) bytes / 4];
            float[] expected = new float[data[0].length];
            for (int rank = 0; rank < size; rank++) {
                for (int i = 0; i < expected.length; i++) {
                    data[rank][i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(9)));
                    expected[i] = rank == 0 ? data[0][i] : expected[i] + data[rank][i];
                }
            }
            all(group, Enter.ALL_REDUCE, bytes);
            long[] sent = new long[size];
            boolean[] in = new boolean[size];
            for (long left = size * ((bytes + part - 1) / part); left > 0; ) {
                HubRank one = group.get(random.nextInt(size));
                int rank = one.rank.rank();
                one.tag = round;
                if (!in[rank]) {
                    in[rank] = true;
                    one.enters(round);
                } else if (sent[rank] < bytes && sent[rank] + part <= one.windowBytes()) {
                    byte[] all = HubRank.floats(data[rank]);
                    int to = (int) Math.min(bytes, sent[rank] + part);
                    one.contributes(round, sent[rank], Arrays.copyOfRange(all, (int) sent[rank], to));
                    sent[rank] = to;
                    left--;
                }
            }
            for (HubRank one : group) {
                byte[] all = HubRank.floats(expected);
                for (int at = 0; at < bytes; at += part) {
                    int to = (int) Math.min(bytes, at + part);
                    assertArrayEquals(Arrays.copyOfRange(all, at, to), one.expectPart(round, at), "round " + round);
                }
            }
        }
        awaitKept(0);
    }

    /** Who has not entered has posted no memory: it gets nothing, and what others may send is bounded. */
    @Test
    void shouldKeepAWindowForWhoHasNotEntered() {
        List<HubRank> group = group(3);
        HubRank root = group.get(0);
        int window = root.windowBytes();
        int part = root.partBytes();
        all(group, Enter.MULTICAST, 2L * window);
        root.enters(1);
        group.get(1).enters(1);
        for (int at = 0; at < window; at += part) {
            root.contributes(1, at, new byte[part]);
            group.get(1).expectPart(1, at);
        }
        awaitKept(window);
        group.get(2).enters(1);
        for (int at = 0; at < window; at += part) {
            group.get(2).expectPart(1, at);
        }
        awaitKept(0);
        long granted = root.expectGrant(1);
        while (granted < 2L * window) {
            granted = root.expectGrant(1);
        }
        for (int at = window; at < 2 * window; at += part) {
            root.contributes(1, at, new byte[part]);
            group.get(1).expectPart(1, at);
            group.get(2).expectPart(1, at);
        }
        group.get(1).done(1);
        awaitKept(0);
        assertEquals(1, fixture.relay.stats().hubOperationsOpen());
        group.get(2).done(1);
        root.expectFinished(1);
    }

    /** One that stops reading stops what it is part of, at a window for each rank, and nothing else. */
    @Test
    void shouldStopOnlyOperationsOfASlowReader() {
        List<HubRank> group = new ArrayList<>();
        for (int rank = 0; rank < 4; rank++) {
            TestRank joined = new TestRank(fixture.at, "slow");
            joined.dataReceiveBytes = rank == 3 ? 4096 : 0;
            joined.control.send(TestRank.message(TestRank.join("slow", 4, rank)));
            group.add(new HubRank(fixture.opened(joined.awaitAdmitted().attach())));
        }
        group.forEach(one -> one.rank.awaitReady());
        HubRank root = group.get(0);
        int part = root.partBytes();
        long bytes = 64L << 20;
        all(group, Enter.MULTICAST, bytes);
        group.forEach(one -> one.enters(1));
        // Rank 3 does not read. The others get what the root may send.
        long granted = root.windowBytes();
        long at = 0;
        int rounds = 0;
        while (rounds < 3) {
            for (; at < granted; at += part) {
                root.contributes(1, at, new byte[part]);
                group.get(1).expectPart(1, at);
                group.get(2).expectPart(1, at);
            }
            // An operation of the others is done in the meantime: what the relay had to say of the first it has said.
            long before = granted;
            granted = otherOperation(group, granted);
            rounds = granted == before ? rounds + 1 : 0;
            long kept = fixture.relay.stats().bytesWaiting();
            assertTrue(kept <= root.windowBytes(), kept + " bytes are kept");
        }
        assertTrue(at < bytes, "the reader that does not read took everything");
        assertTrue(fixture.relay.stats().bytesWaiting() > 0, "nothing is kept");
        group.get(3).rank.close();
        for (HubRank one : group.subList(0, 3)) {
            one.expectAsked(1, others);
            one.again = true;
            one.enters(100).expectVerdict(100, ErrorCode.PEER_LEFT, 3);
        }
    }

    private int others = 1;

    /** Ranks 0 to 2 add a number. Answers what rank 0 was granted of operation 1 by then. */
    private long otherOperation(List<HubRank> group, long grantedBefore) {
        others++;
        long granted = grantedBefore;
        for (HubRank one : group.subList(0, 3)) {
            HubRank other = new HubRank(one.rank);
            other.context = 9;
            other.tag = others;
            other.bytes = 4;
            other.members = new int[] {0, 1, 2};
            other.enters(others);
            other.contributes(others, 0, HubRank.floats(1));
        }
        for (HubRank one : group.subList(0, 3)) {
            RawConnection.In in = one.rank.receiveWithoutCredit();
            while (in.type() == FrameType.GRANT) {
                granted = one.rank.rank() == 0 ? Frame.credit(in.header(), 0) : granted;
                in = one.rank.receiveWithoutCredit();
            }
            assertEquals(others, Frame.transfer(in.header(), 0));
            assertArrayEquals(HubRank.floats(3), in.payload());
        }
        return granted;
    }

    @Test
    void shouldDropTheOperationsOfARankThatIsGone() {
        List<HubRank> group = group(3);
        int part = group.get(0).partBytes();
        all(group, Enter.ALL_REDUCE, 4L * part);
        group.forEach(one -> one.enters(1));
        group.get(1).contributes(1, 0, new byte[part]);
        group.get(2).contributes(1, 0, new byte[part]);
        awaitKept(2L * part);
        group.get(0).rank.data.reset();
        group.get(0).rank.control.reset();
        for (HubRank one : group.subList(1, 3)) {
            String text = one.expectVerdict(1, ErrorCode.PEER_FAILED, 0);
            assertEquals("rank 0 lost its connection to the relay amid an operation that the relay combines", text);
            // What was under way is thrown away.
            one.contributes(1, part, new byte[part]);
            one.rank.expectGone(0, Cause.LOST);
        }
        awaitKept(0);
        // Who comes later hears it at once.
        group.get(1).tag = 2;
        group.get(1).enters(2).expectVerdict(2, ErrorCode.PEER_LEFT, 0);
        assertEquals(2, fixture.relay.stats().ranks());
    }

    @Test
    void shouldTellTheOthersOfOneThatWithdrawsOrAborts() {
        List<HubRank> group = group(3);
        all(group, Enter.ALL_REDUCE, 8);
        group.forEach(one -> one.enters(1));
        group.get(0).contributes(1, 0, new byte[8]);
        awaitKept(8);
        group.get(2).withdraws(1);
        group.get(0).expectVerdict(1, ErrorCode.PEER_FAILED, 2);
        group.get(1).expectVerdict(1, ErrorCode.PEER_FAILED, 2);
        awaitKept(0);

        all(group, Enter.MULTICAST, 8);
        group.forEach(one -> one.tag = 2);
        group.get(0).enters(2).contributes(2, 0, new byte[8]);
        awaitKept(8);
        group.get(1)
                .rank
                .abort(Abort.newBuilder().setEpoch(group.get(1).rank.epoch()).setReason("why"));
        group.get(0).expectVerdict(2, ErrorCode.PEER_FAILED, 1);
        awaitKept(0);
        group.forEach(one -> one.tag = 3);
        group.get(0).enters(3).expectVerdict(3, ErrorCode.PEER_FAILED, 1);
    }

    /** Who has not come, and then who has come and gives nothing, and whom the one waited for that gave up. */
    @Test
    void shouldSayForWhomAnOperationWaits() {
        List<HubRank> group = group(3);
        all(group, Enter.ALL_REDUCE, 8);
        group.get(0).enters(1).contributes(1, 0, new byte[8]);
        group.get(2).enters(1);
        group.get(0).expectAwaits(1, 1);
        group.get(2).expectAwaits(1, 1);
        group.get(1).enters(1).expectAwaits(1, 1);
        group.get(1).contributes(1, 0, new byte[8]);
        group.get(0).expectAwaits(1, 2);
        group.get(1).expectAwaits(1, 2);
        group.get(2).expectAwaits(1, 2);
        group.get(0).withdraws(1);
        String text = group.get(1).expectVerdict(1, ErrorCode.PEER_FAILED, 0);
        assertEquals("rank 0 has withdrawn; rank 2 was awaited", text);
        group.get(2).expectVerdict(1, ErrorCode.PEER_FAILED, 0);
        awaitKept(0);
    }

    /** What a rank does wrong fails operations at once, and the frames that it sent before go their way all the same. */
    @Test
    void shouldPutNoVerdictIntoAFrameOfWhoIsExpelled() {
        byte[] payload = new byte[300];
        new Random(SEED).nextBytes(payload);
        int pieceBytes = 100;
        List<Function<TestRank, byte[]>> wrongs = List.of(
                rank -> changed(rank, FrameType.REQUEST, header -> Frame.epoch(header, 0, 0)),
                rank -> changed(rank, FrameType.REST, header -> Frame.payloadBytes(header, 0, 100_000)),
                rank -> changed(rank, FrameType.FLOW, header -> Frame.credit(header, 0, 1)));
        for (int i = 0; i < wrongs.size(); i++) {
            List<HubRank> group = group("wrong-" + i, 2);
            TestRank wrong = group.get(0).rank;
            HubRank other = group.get(1);
            other.bytes = 8;
            other.enters(1);
            awaitBegun(i + 1);
            byte[] frame = wrong.frame(FrameType.EAGER, 1, payload);
            long before = fixture.relay.stats().wireBytesIn();
            wrong.data.write(Arrays.copyOf(frame, pieceBytes));
            Await.until("a piece is in", () -> fixture.relay.stats().wireBytesIn() == before + pieceBytes);
            wrong.data.write(ByteBuffer.allocate(frame.length - pieceBytes + Frame.HEADER_BYTES)
                    .put(frame, pieceBytes, frame.length - pieceBytes)
                    .put(wrongs.get(i).apply(wrong))
                    .array());
            RawConnection.In in = other.rank.receiveWithoutCredit();
            while (in.type() == FrameType.GRANT) {
                in = other.rank.receiveWithoutCredit();
            }
            assertEquals(FrameType.EAGER, in.type());
            assertArrayEquals(payload, in.payload(), "case " + i);
            other.expectVerdict(1, ErrorCode.PEER_LEFT, 0);
            other.rank.expectGone(0, Cause.EXPELLED);
        }
    }

    private static byte[] changed(TestRank rank, FrameType type, Consumer<ByteBuffer> change) {
        byte[] frame = rank.frame(type, 1, new byte[0]);
        change.accept(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN));
        return frame;
    }

    /** They keep no data, but they are there. */
    @Test
    void shouldBoundOperationsToWhichNobodyComes() {
        try (RelayFixture small = new RelayFixture(RelayFixture.insecure().set(RelayOption.MEMORY, "65536"))) {
            HubRank lonely = new HubRank(small.group("s", 2).get(0));
            lonely.bytes = 4;
            for (int transfer = 1; transfer <= 100; transfer++) {
                lonely.tag = transfer;
                lonely.enters(transfer);
            }
            RawConnection.In in = lonely.rank.receiveWithoutCredit();
            assertEquals(FrameType.VERDICT, in.type());
            assertEquals(ErrorCode.LIMIT, ErrorCode.of(Frame.flags(in.header(), 0)));
            // The relay has too little memory: that is no rank's fault.
            assertEquals(ZipException.NONE, in.source());
        }
    }

    /** Not behind all that others have sent to a rank, and will. */
    @Test
    void shouldSendResultsBetweenWhatWaits() {
        List<TestRank> ranks = new ArrayList<>();
        for (int rank = 0; rank < 10; rank++) {
            TestRank member = fixture.opened(TestRank.admitted(fixture.at, TestRank.join("s", 10, rank)));
            member.dataReceiveBytes = rank == 0 ? 4096 : 0;
            ranks.add(member.attach());
        }
        ranks.forEach(TestRank::awaitReady);
        byte[] payload = new byte[ranks.get(0).view.getFragmentBytesMax()];
        long room = ranks.get(0).view.getFlowWindowBytes() / (payload.length + Frame.HEADER_BYTES);
        for (TestRank from : ranks.subList(1, 10)) {
            for (int i = 0; i < room; i++) {
                from.send(0, payload);
            }
            from.roundTrip();
        }
        Await.until("it waits", () -> fixture.relay.stats().bytesWaiting() > 2 << 20);
        List<HubRank> group = ranks.stream().map(HubRank::new).toList();
        for (HubRank one : group) {
            one.bytes = 4;
            one.enters(1).contributes(1, 0, HubRank.floats(1));
        }
        group.subList(1, 10).forEach(one -> assertArrayEquals(HubRank.floats(10), one.expectPart(1, 0)));
        int before = 0;
        int all = 0;
        for (int i = 0; i < 9 * room + 1; i++) {
            boolean isPart = ranks.get(0).receiveWithoutCredit().type() == FrameType.PART;
            before = isPart ? all : before;
            all++;
        }
        // What systems hold goes first.
        assertTrue(before > 0 && before < all - 20, before + " frames before the result, of " + all);
    }

    @Test
    void shouldSayWhatRanksDisagreeAbout() {
        List<HubRank> group = group(3);
        all(group, Enter.ALL_REDUCE, 8);
        group.get(1).signature++;
        group.get(0).enters(1);
        awaitBegun(1);
        group.get(1).enters(1).expectVerdict(1, ErrorCode.OPERATION_MISMATCH, 0);
        group.get(0).expectVerdict(1, ErrorCode.OPERATION_MISMATCH, 1);
        group.get(1).signature--;
        group.forEach(one -> one.tag = 2);
        group.get(1).bytes = 12;
        group.get(0).enters(2);
        awaitBegun(2);
        String text = group.get(1).enters(2).expectVerdict(2, ErrorCode.LENGTH_MISMATCH, 0);
        assertTrue(text.contains("rank 1 has 12 bytes, rank 0 8"), text);
        group.get(0).expectVerdict(2, ErrorCode.LENGTH_MISMATCH, 1);
    }

    private void awaitBegun(long operations) {
        Await.until("entered", () -> fixture.relay.stats().hubOperations() == operations);
    }

    @Test
    void shouldRefuseWhatItMayNotOrCannotDo() {
        fixture.close();
        fixture = new RelayFixture(RelayFixture.insecure()
                .set(RelayOption.HUB_OPERATIONS_MAX, "2")
                .set(RelayOption.HUB_REDUCTION, "false"));
        List<HubRank> group = group(2);
        HubRank one = group.get(0);
        one.bytes = 8;
        one.enters(1).expectVerdict(1, ErrorCode.BAD_SETTING, 0);
        one.kind = Enter.MULTICAST;
        for (int transfer = 2; transfer <= 4; transfer++) {
            one.tag = transfer;
            one.enters(transfer);
        }
        String text = one.expectVerdict(4, ErrorCode.LIMIT, 0);
        assertTrue(text.endsWith(" (hub-operations-max)"), text);
        assertEquals(1L, fixture.relay.stats().limitsReached().get(RelayOption.HUB_OPERATIONS_MAX));
        // Not by a barrier: it has no data.
        group.forEach(rank -> {
            rank.kind = Enter.ALL_REDUCE;
            rank.bytes = 0;
            rank.tag = 9;
        });
        one.withdraws(2);
        one.enters(5);
        group.get(1).enters(1);
        one.expectPart(5, 0);
        group.get(1).expectPart(1, 0);
    }

    private interface Wrong {
        byte[] frame(HubRank rank);
    }

    private void expectExpelled(String reason, Wrong wrong) {
        List<HubRank> group = group("expelled", 2);
        HubRank bad = group.get(0);
        bad.bytes = 10L * bad.windowBytes();
        bad.enters(5);
        bad.rank.data.write(wrong.frame(bad));
        String told = bad.rank.expectRefusal(ErrorCode.PROTOCOL);
        assertTrue(told.contains(reason), told);
        group.get(1).rank.expectGone(0, Cause.EXPELLED);
        group.forEach(one -> one.rank.close());
        Await.until("session is gone", () -> fixture.relay.stats().sessions() == 0);
    }

    @Test
    void shouldExpelRanksThatBreakTheRules() {
        expectExpelled("at 0 of", rank -> rank.part(5, rank.partBytes(), new byte[rank.partBytes()]));
        expectExpelled("a part of 8 bytes at 0", rank -> rank.part(5, 0, new byte[8]));
        expectExpelled("a part for operation 6, the last was 5", rank -> rank.part(6, 0, new byte[8]));
        expectExpelled("operation 5 after 5", rank -> rank.enter(5));
        expectExpelled("takes part in an operation twice", rank -> rank.enter(6));
        expectExpelled("GRANT frame from a rank", rank -> rank.frame(FrameType.GRANT, 5));
        expectExpelled("VERDICT frame from a rank", rank -> rank.frame(FrameType.VERDICT, 5));
        expectExpelled("of kind 4", rank -> {
            rank.kind = 4;
            return rank.enter(6);
        });
        expectExpelled("with root 2", rank -> {
            rank.kind = Enter.REDUCE;
            rank.root = 2;
            return rank.enter(6);
        });
        expectExpelled("in an operation of others", rank -> {
            rank.members = new int[] {1};
            return rank.enter(6);
        });
        expectExpelled("among which is 7", rank -> {
            rank.members = new int[] {0, 7};
            return rank.enter(6);
        });
        expectExpelled("of 3 ranks of 2", rank -> {
            rank.members = new int[] {0, 1, 0};
            return rank.enter(6);
        });
        expectExpelled("of which it was not sent all", rank -> rank.grant(5, Enter.DONE));
        expectExpelled("GRANT frame from a rank", rank -> rank.grant(5, Enter.DONE | Enter.FINISHED));
        expectExpelled("DONE for operation 6, the last was 5", rank -> rank.grant(6, Enter.DONE));
        expectExpelled("a list of ranks from one that is through", rank -> {
            rank.kind = Enter.THROUGH;
            rank.members = new int[] {0, 1};
            return rank.enter(6);
        });
        expectExpelled("that cannot begin anew", rank -> {
            rank.again = true;
            rank.tag = 2;
            return rank.enter(6);
        });
        expectExpelled("granted are", rank -> {
            int part = rank.partBytes();
            for (int at = 0; at < rank.windowBytes(); at += part) {
                rank.contributes(5, at, new byte[part]);
            }
            return rank.part(5, rank.windowBytes(), new byte[part]);
        });
    }

    /** Frames of a correct form and any content: the relay stands, and keeps no more than windows. */
    @Test
    void shouldStandAnyFramesOfTheHub() {
        Random random = new Random(SEED);
        List<TestRank> healthy = fixture.group("healthy", 2);
        FrameType[] types = {FrameType.ENTER, FrameType.PART, FrameType.WITHDRAW, FrameType.GRANT, FrameType.VERDICT};
        int expelled = 0;
        for (int round = 0; round < 60; round++) {
            List<HubRank> group = group("fuzz-" + round, 2);
            for (int i = 0; i < 200; i++) {
                HubRank one = group.get(random.nextInt(2));
                one.kind =
                        random.nextInt(20) == 0 ? Enter.THROUGH : 1 + random.nextInt(random.nextInt(50) == 0 ? 4 : 3);
                one.again = random.nextInt(8) == 0 && (one.kind == Enter.MULTICAST || random.nextInt(20) == 0);
                one.root = random.nextInt(2);
                one.tag = random.nextInt(4);
                one.bytes = random.nextInt(40) * 4L;
                one.signature = HubRank.SUM_OF_FLOATS + (random.nextInt(20) == 0 ? 1 : 0);
                FrameType type = types[random.nextInt(random.nextInt(60) == 0 ? 5 : 3)];
                byte[] frame = switch (type) {
                    case ENTER -> one.enter(i + 1);
                    case PART -> one.part(random.nextInt(i + 1), 0, new byte[(int) one.bytes]);
                    case GRANT -> one.grant(random.nextInt(i + 1), Enter.DONE);
                    default -> one.frame(type, random.nextInt(i + 1));
                };
                if (Frame.problem(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0) != null) {
                    continue;
                }
                try {
                    one.rank.data.write(frame);
                } catch (UncheckedIOException e) {
                    break; // expelled
                }
            }
            healthy.get(0).send(1, new byte[] {(byte) round});
            assertArrayEquals(
                    new byte[] {(byte) round}, healthy.get(1).receive().payload());
            expelled += fixture.relay.stats().ranks() < 4 ? 1 : 0;
            group.forEach(one -> one.rank.close());
            Await.until("session is gone", () -> fixture.relay.stats().sessions() == 1);
            assertEquals(0, fixture.relay.stats().bytesWaiting());
        }
        assertTrue(fixture.relay.stats().hubOperations() > 60, "few operations began");
        assertTrue(expelled > 0, "nobody was expelled");
    }
}
