package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.zipcomm.error.ErrorCode;
import io.zipcomm.wire.Enter;
import io.zipcomm.wire.proto.Abort;
import io.zipcomm.wire.proto.Attach;
import io.zipcomm.wire.proto.MemberGone.Cause;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Ranks lose their data connections amid operations of the hub, which begin anew, frame by frame. Each test ends with nothing left in the
 * relay.
 */
@Tag("once")
final class HubReturnTest {

    private static final Duration OVER_TIMEOUT = Duration.ofSeconds(2);

    private RelayFixture fixture = new RelayFixture(RelayFixture.insecure().set(RelayOption.RESUME_GRACE, "20000"));

    @AfterEach
    void stop() {
        fixture.close();
    }

    private List<HubRank> group(int size, int kind, long bytes) {
        List<HubRank> group = new ArrayList<>(
                fixture.group("s", size).stream().map(HubRank::new).toList());
        group.forEach(one -> {
            one.kind = kind;
            one.bytes = bytes;
        });
        return group;
    }

    private void lose(HubRank one) {
        one.rank.data.reset();
        one.rank.control.expect(ToRank.MessageCase.DETACHED);
    }

    private void attachAgain(HubRank one) {
        RawConnection data = new RawConnection(fixture.at);
        data.send(ToRelay.newBuilder()
                .setAttach(Attach.newBuilder()
                        .setVersion(one.rank.admitted.getVersion())
                        .setSession("s")
                        .setRank(one.rank.admitted.getRank())
                        .setTicket(one.rank.admitted.getTicket())
                        .setAgain(true))
                .build());
        data.expect(ToRank.MessageCase.ATTACHED);
        one.rank.data = data;
        one.again = true;
    }

    private void leave(List<HubRank> group) {
        group.forEach(one -> one.rank.leave());
        group.forEach(one -> one.rank.close());
    }

    private void awaitOpen(int operations) {
        Await.until(
                operations + " operations are open", () -> fixture.relay.stats().hubOperationsOpen() == operations);
    }

    /** Operations end long before the relay gives up ranks that do not say that they live, which would end them, too. */
    private void expectOverNow() {
        Await.until("operations end", OVER_TIMEOUT, () -> fixture.relay.stats().hubOperationsOpen() == 0);
    }

    private void leave(HubRank one) {
        one.rank.leave();
        one.rank.close();
    }

    private void awaitKept(long bytes) {
        Await.until(bytes + " bytes are kept", () -> fixture.relay.stats().bytesWaiting() == bytes);
    }

    /** One receiver has all and has said so, another has all and has not, and the third loses its connection. */
    @Test
    void shouldBeginAnewForOneOfWhichTheConnectionEnded() {
        List<HubRank> group = group(4, Enter.MULTICAST, 0);
        int part = group.get(0).partBytes();
        group.forEach(one -> one.bytes = 2L * part);
        byte[] first = HubRank.filled(part, 1);
        byte[] second = HubRank.filled(part, 2);
        group.forEach(one -> one.enters(1));
        for (byte[] data : List.of(first, second)) {
            int at = data == first ? 0 : part;
            group.get(0).contributes(1, at, data);
            group.subList(1, 4).forEach(one -> assertArrayEquals(data, one.expectPart(1, at)));
        }
        group.get(1).done(1);
        group.get(1).rank.roundTrip();
        lose(group.get(3));
        // Whoever may not have all is asked; so is the one that has given all, to give once more.
        group.get(2).expectAsked(1, 1);
        group.get(0).expectAsked(1, 1);
        group.get(2).through(2, 0);
        attachAgain(group.get(3));
        group.get(3).expectAsked(1, 0);
        group.get(3).enters(1);
        HubRank root = group.get(0);
        root.again = true;
        root.enters(2).contributes(2, 0, first);
        root.contributes(2, part, second);
        assertArrayEquals(first, group.get(3).expectPart(1, 0));
        assertArrayEquals(second, group.get(3).expectPart(1, part));
        awaitOpen(1);
        group.get(3).done(1);
        root.expectFinished(2);
        awaitOpen(0);
        awaitKept(0);
        leave(group);
    }

    /** What a root gave is there: nobody has to wait for it, or give once more. */
    @Test
    void shouldGoOnWithoutARootThatHasGivenAll() {
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        byte[] data = HubRank.floats(1, 2);
        group.get(0).enters(1).contributes(1, 0, data);
        awaitKept(8);
        lose(group.get(0));
        assertArrayEquals(data, group.get(1).enters(1).expectPart(1, 0));
        group.get(1).done(1);
        attachAgain(group.get(0));
        // What it gives once more is thrown away.
        group.get(0).enters(1).contributes(1, 0, HubRank.floats(3, 4));
        assertArrayEquals(data, group.get(2).enters(1).expectPart(1, 0));
        group.get(2).done(1);
        group.get(0).expectFinished(1);
        awaitOpen(0);
        awaitKept(0);
        leave(group);
    }

    /** The relay has forgotten it: the root was not told that all are through. */
    @Test
    void shouldFinishWhatWasOverWithoutBeingGivenAnything() {
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        HubRank root = group.get(0);
        root.again = true;
        root.enters(1);
        for (HubRank one : group.subList(1, 3)) {
            one.expectAsked(1, 0);
            one.through(1, 0);
        }
        root.expectFinished(1);
        awaitOpen(0);
        leave(group);
    }

    /** A relay that was started again knows of nothing: who comes back later is asked then. */
    @Test
    void shouldAskWhoIsConnectedLater() {
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        lose(group.get(2));
        HubRank root = group.get(0);
        root.again = true;
        root.enters(1).contributes(1, 0, HubRank.floats(1, 2));
        group.get(1).expectAsked(1, 0);
        group.get(1).again = true;
        group.get(1).enters(1).expectPart(1, 0);
        group.get(1).done(1);
        attachAgain(group.get(2));
        group.get(2).expectAsked(1, 0);
        group.get(2).through(1, 0);
        root.expectFinished(1);
        awaitOpen(0);
        awaitKept(0);
        leave(group);
    }

    /** A barrier keeps nothing, so nobody says that it is done; who is through has come to it. */
    @Test
    void shouldLetABarrierBeginAnew() {
        List<HubRank> group = group(3, Enter.ALL_REDUCE, 0);
        group.get(0).enters(1);
        group.get(1).enters(1);
        Await.until("both are in", () -> fixture.relay.stats().hubOperations() == 1);
        group.get(1).rank.roundTrip();
        lose(group.get(1));
        group.get(0).expectAsked(1, 1);
        group.get(0).again = true;
        group.get(0).enters(2);
        attachAgain(group.get(1));
        group.get(1).expectAsked(1, 0);
        group.get(1).enters(1);
        // As far as the relay can know it may have been here before.
        group.get(2).expectAsked(1, 0);
        group.get(2).enters(1).expectPart(1, 0);
        group.get(0).expectPart(2, 0);
        group.get(1).expectPart(1, 0);
        awaitOpen(0);
        // One that did not hear of the end asks once more.
        lose(group.get(1));
        attachAgain(group.get(1));
        group.get(1).enters(1);
        group.get(0).expectAsked(1, 2);
        group.get(0).through(3, 0);
        group.get(2).expectAsked(1, 1);
        group.get(2).through(2, 0);
        group.get(1).expectPart(1, 0);
        expectOverNow();
        leave(group);
    }

    /** It may come back until it is given up; then those who came again hear that it is gone. */
    @Test
    void shouldFailWhenOneIsGivenUp() {
        fixture.close();
        fixture = new RelayFixture(RelayFixture.insecure().set(RelayOption.RESUME_GRACE, "500"));
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        group.get(1).enters(1);
        group.get(2).enters(1);
        group.get(2).rank.roundTrip();
        lose(group.get(2));
        group.get(1).expectAsked(1, 1);
        group.get(1).again = true;
        group.get(1).enters(2);
        group.get(2).rank.control.reset();
        group.get(1).expectVerdict(2, ErrorCode.PEER_LEFT, 2);
        group.get(0).rank.expectGone(2, Cause.LOST);
        awaitOpen(0);
        leave(group.subList(0, 2));
    }

    /** A root whose collectives have failed gives nothing once more, and one that says that it is through has lied. */
    @Test
    void shouldFailWhatARootDoesNotGiveAgain() {
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        HubRank other = group.get(1);
        other.again = true;
        other.enters(1);
        group.get(0).expectAsked(1, 0);
        group.get(0).through(1, 0);
        String text = other.expectVerdict(1, ErrorCode.PEER_FAILED, 0);
        assertTrue(text.contains("keeps no more what it contributed"), text);
        other.tag = 2;
        other.enters(2);
        group.get(0).tag = 2;
        group.get(0).expectAsked(2, 1);
        group.get(0)
                .rank
                .abort(Abort.newBuilder().setEpoch(group.get(0).rank.epoch()).setReason("why"));
        other.expectVerdict(2, ErrorCode.PEER_FAILED, 0);
        awaitOpen(0);
        leave(group);
    }

    /** Each makes the relay ask all others: so no more of them than operations may be under way. */
    @Test
    void shouldBoundWhatARankEntersAgainUnasked() {
        fixture.close();
        fixture = new RelayFixture(RelayFixture.insecure().set(RelayOption.HUB_OPERATIONS_MAX, "3"));
        List<HubRank> group = group(2, Enter.MULTICAST, 8);
        HubRank one = group.get(1);
        one.again = true;
        for (int transfer = 1; transfer <= 4; transfer++) {
            one.tag = transfer;
            one.enters(transfer);
            one.withdraws(transfer);
        }
        String text = one.expectVerdict(4, ErrorCode.LIMIT, 1);
        assertTrue(text.contains("again"), text);
        assertEquals(3, fixture.relay.stats().hubOperations());
        awaitOpen(0);
        leave(group);
    }

    /** Who has left has what it was sent, though it said nothing. */
    @Test
    void shouldNotWaitForTheWordOfOneThatHasLeft() {
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        group.forEach(one -> one.enters(1));
        group.get(0).contributes(1, 0, HubRank.floats(1, 2));
        group.subList(1, 3).forEach(one -> one.expectPart(1, 0));
        group.get(2).done(1);
        group.get(1).rank.leave();
        group.get(1).rank.close();
        group.get(0).expectFinished(1);
        group.remove(1);
        leave(group);
    }

    /** The one that gets the result is through: that was the last that was to be known. */
    @Test
    void shouldEndAnEmptyReductionOfWhichTheRootIsThrough() {
        List<HubRank> group = group(3, Enter.REDUCE, 0);
        HubRank one = group.get(1);
        one.again = true;
        one.enters(1);
        group.get(2).expectAsked(1, 0);
        group.get(2).through(1, 0);
        group.get(2).rank.roundTrip();
        group.get(0).expectAsked(1, 0);
        group.get(0).through(1, 0);
        one.expectFinished(1);
        expectOverNow();
        leave(group);
    }

    /** It had come, so its place is not empty. */
    @Test
    void shouldCountOneThatHasLeftAmongThoseWhoCame() {
        List<HubRank> group = group(3, Enter.REDUCE, 0);
        group.get(0).enters(1);
        group.get(1).enters(1);
        group.get(1).rank.roundTrip();
        leave(group.get(1));
        group.get(0).rank.expectGone(1, Cause.LEFT);
        group.get(2).enters(1);
        group.get(0).expectPart(1, 0);
        group.get(2).expectFinished(1);
        expectOverNow();
        group.remove(1);
        leave(group);
    }

    /** One that only comes may have come for the last time. */
    @Test
    void shouldLetAnEmptyReductionBeginAnew() {
        List<HubRank> group = group(3, Enter.REDUCE, 0);
        group.get(0).enters(1);
        group.get(1).enters(1);
        group.get(1).rank.roundTrip();
        lose(group.get(1));
        group.get(0).expectAsked(1, 1);
        group.get(0).again = true;
        group.get(0).enters(2);
        group.get(2).enters(1);
        attachAgain(group.get(1));
        group.get(1).expectAsked(1, 0);
        group.get(1).enters(1);
        group.get(0).expectPart(2, 0);
        group.get(1).expectFinished(1);
        expectOverNow();
        leave(group);
    }

    /** The relay has forgotten it: who left, before or after it is asked, was not in need of anything. */
    @Test
    void shouldFinishWhatThoseHaveWhoLeft() {
        List<HubRank> group = group(4, Enter.MULTICAST, 8);
        HubRank root = group.get(0);
        leave(group.get(1));
        root.rank.expectGone(1, Cause.LEFT);
        root.again = true;
        root.enters(1);
        group.get(2).expectAsked(1, 0);
        group.get(2).through(1, 0);
        group.get(3).expectAsked(1, 0);
        leave(group.get(3));
        root.expectFinished(1);
        expectOverNow();
        leave(root);
        leave(group.get(2));
    }

    /** A receiver has all, and its word was lost with its connection: nobody has to give anything once more. */
    @Test
    void shouldGoOnWithoutARootThatHasLeft() {
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        byte[] data = rootGivesAllAndLeaves(group);
        assertArrayEquals(data, group.get(2).enters(1).expectPart(1, 0));
        lose(group.get(1));
        attachAgain(group.get(1));
        group.get(1).expectAsked(1, 0);
        group.get(1).through(1, 0);
        group.get(1).rank.roundTrip();
        group.get(2).done(1);
        expectOverNow();
        awaitKept(0);
        leave(group.get(1));
        leave(group.get(2));
    }

    /** The relay has all that a receiver needs once more, until the last has come. */
    @Test
    void shouldGiveOnceMoreForARootThatHasLeft() {
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        byte[] data = rootGivesAllAndLeaves(group);
        lose(group.get(1));
        attachAgain(group.get(1));
        group.get(1).expectAsked(1, 0);
        assertArrayEquals(data, group.get(1).enters(1).expectPart(1, 0));
        group.get(1).done(1);
        // It has not come yet, and is asked because nobody knows that.
        group.get(2).expectAsked(1, 0);
        assertArrayEquals(data, group.get(2).enters(1).expectPart(1, 0));
        group.get(2).done(1);
        expectOverNow();
        awaitKept(0);
        leave(group.get(1));
        leave(group.get(2));
    }

    /** Nobody can give once more what a receiver has not got. */
    @Test
    void shouldFailWhatARootThatHasLeftWouldHaveToGiveAgain() {
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        byte[] data = rootGivesAllAndLeaves(group);
        assertArrayEquals(data, group.get(2).enters(1).expectPart(1, 0));
        lose(group.get(1));
        attachAgain(group.get(1));
        group.get(1).expectAsked(1, 0);
        group.get(1).enters(1).expectVerdict(1, ErrorCode.PEER_LEFT, 0);
        group.get(2).expectVerdict(1, ErrorCode.PEER_LEFT, 0);
        expectOverNow();
        awaitKept(0);
        leave(group.get(1));
        leave(group.get(2));
    }

    /** One receiver has all and has not said so; the other has not come. */
    private byte[] rootGivesAllAndLeaves(List<HubRank> group) {
        byte[] data = HubRank.floats(1, 2);
        group.get(0).enters(1).contributes(1, 0, data);
        assertArrayEquals(data, group.get(1).enters(1).expectPart(1, 0));
        leave(group.get(0));
        group.get(1).rank.expectGone(0, Cause.LEFT);
        group.forEach(one -> one.again = true);
        return data;
    }

    /** The others hear of it and come to nothing any more, though they do not say so themselves. */
    @Test
    void shouldEndWhatAFailedMemberIsThroughWith() {
        List<HubRank> group = group(3, Enter.MULTICAST, 8);
        group.get(0).enters(1).contributes(1, 0, HubRank.floats(1, 2));
        group.get(1).enters(1).expectPart(1, 0);
        group.get(1).done(1);
        group.get(1).rank.roundTrip();
        group.get(1)
                .rank
                .abort(Abort.newBuilder().setEpoch(group.get(1).rank.epoch()).setReason("why"));
        group.get(0).expectVerdict(1, ErrorCode.PEER_FAILED, 1);
        expectOverNow();
        awaitKept(0);
        leave(group);
    }

    /** It was through when its part had left, which went down with its connection, or with the relay before this one. */
    @Test
    void shouldFailAReductionOfWhichAPartWasLost() {
        List<HubRank> group = group(4, Enter.REDUCE, 8);
        lose(group.get(2));
        attachAgain(group.get(2));
        byte[] data = HubRank.floats(1, 2);
        group.get(1).enters(1).contributes(1, 0, data);
        group.get(0).enters(1).contributes(1, 0, data);
        group.get(2).expectAsked(1, 0);
        group.get(2).through(1, 0);
        String text = group.get(0).expectVerdict(1, ErrorCode.RELAY_LOST, 2);
        assertTrue(text.contains("rank 2") && text.contains("the relay was started again"), text);
        group.get(1).expectVerdict(1, ErrorCode.RELAY_LOST, 2);
        // One that comes to another is not told of this.
        group.forEach(one -> one.tag = 2);
        group.get(2).again = false;
        group.get(3).enters(1).contributes(1, 0, data);
        group.subList(0, 3).forEach(one -> one.enters(2).contributes(2, 0, data));
        assertArrayEquals(HubRank.floats(4, 8), group.get(0).expectPart(2, 0));
        group.get(3).expectFinished(1);
        expectOverNow();
        awaitKept(0);
        leave(group);
    }

    /** Nobody waits for the result: what was lost is found when the root comes. */
    @Test
    void shouldAskWhoHasGivenWhenTheRootWaits() {
        List<HubRank> group = group(3, Enter.REDUCE, 8);
        lose(group.get(1));
        byte[] data = HubRank.floats(1, 2);
        group.get(0).enters(1).contributes(1, 0, data);
        group.get(2).enters(1).contributes(1, 0, data);
        group.get(0).expectAwaits(1, 1);
        // It is asked when it is back, and has not come to it yet.
        attachAgain(group.get(1));
        group.get(1).expectAsked(1, 0);
        group.get(1).again = false;
        group.get(1).enters(1).contributes(1, 0, data);
        assertArrayEquals(HubRank.floats(3, 6), group.get(0).expectPart(1, 0));
        group.get(1).expectFinished(1);
        group.get(2).expectFinished(1);
        expectOverNow();
        leave(group);
    }

    /** It has closed the communicator since it came, and keeps nothing that it would say once more. */
    @Test
    void shouldAskTheRootOfNothing() {
        List<HubRank> group = group(3, Enter.MULTICAST, 0);
        lose(group.get(0));
        attachAgain(group.get(0));
        group.get(1).enters(1);
        group.get(0).expectAsked(1, 0);
        group.get(0).through(1, 0);
        group.get(1).expectPart(1, 0);
        group.get(2).enters(1).expectPart(1, 0);
        expectOverNow();
        leave(group);
    }
}
