package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.zipcomm.wire.proto.Agree;
import io.zipcomm.wire.proto.Agreed;
import io.zipcomm.wire.proto.Heartbeat;
import io.zipcomm.wire.proto.Revoke;
import io.zipcomm.wire.proto.ToRelay;
import java.util.List;
import org.junit.jupiter.api.Test;

final class UnconfirmedTest {

    private final Unconfirmed unconfirmed = new Unconfirmed();

    private static ToRelay agree(int number) {
        return ToRelay.newBuilder()
                .setAgree(Agree.newBuilder().setNumber(number))
                .build();
    }

    @Test
    void shouldForgetWhatWasSaidBeforeAHeartbeatThatIsAnswered() {
        ToRelay revoke = ToRelay.newBuilder()
                .setRevoke(Revoke.newBuilder().setContext(2))
                .build();
        unconfirmed.beats(1);
        unconfirmed.add(agree(1));
        unconfirmed.beats(2);
        unconfirmed.add(revoke);
        unconfirmed.add(agree(2));
        unconfirmed.confirmed(1);
        unconfirmed.confirmed(2);
        assertEquals(List.of(revoke, agree(2)), unconfirmed.take());
        assertEquals(List.of(), unconfirmed.take());
    }

    @Test
    void shouldNotSayAgainWhatIsOutOfDateByThen() {
        unconfirmed.add(ToRelay.newBuilder()
                .setHeartbeat(Heartbeat.newBuilder().setNumber(1))
                .build());
        assertEquals(List.of(), unconfirmed.take());
    }

    @Test
    void shouldForgetWhatHasAnAnswer() {
        ToRelay ofAnother = ToRelay.newBuilder()
                .setAgree(Agree.newBuilder().setContext(2).setNumber(1))
                .build();
        unconfirmed.add(agree(1));
        unconfirmed.add(ofAnother);
        unconfirmed.add(agree(2));
        unconfirmed.add(agree(3));
        unconfirmed.answered(Agreed.newBuilder().setNumber(2).build());
        assertEquals(List.of(ofAnother, agree(3)), unconfirmed.take());
    }

    @Test
    void shouldBoundWhatItKeeps() {
        for (int number = 0; number <= Unconfirmed.MESSAGES_MAX; number++) {
            unconfirmed.add(agree(number));
        }
        List<ToRelay> kept = unconfirmed.take();
        assertEquals(Unconfirmed.MESSAGES_MAX, kept.size());
        assertEquals(agree(1), kept.get(0));
    }
}
