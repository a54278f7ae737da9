/*
 * A peer that is killed in the middle: test_kill PROVIDER.
 *
 * The survivor must not crash or hang, every completion it gets must be
 * of an operation it began, and closing takes less than a second.
 */
#include <signal.h>
#include <sys/wait.h>

#include "pair.h"

/* Of memory that is read and written, and of messages: longer ones must find their receives posted (README.md). */
#define BYTES 65536
#define MESSAGE_BYTES 8192
#define LANES 8
/* The survivor goes on for so long: tcp;ofi_rxm tries to connect anew all the time. */
#define AFTER_NS INT64_C(1000000000)

static uint8_t outgoing[LANES][MESSAGE_BYTES];
static uint8_t incoming[LANES][MESSAGE_BYTES];
static uint8_t shared[BYTES];

struct tally {
    int64_t begun;
    int64_t worked;
    int64_t failed;
    int32_t status; /* of the last failure */
};

static void begin(struct side *side, const struct zf_rma *rma, uint64_t turn, struct tally *tally) {
    uint64_t lane = turn % LANES;
    int64_t bytes = turn % 3 == 0 ? MESSAGE_BYTES : 64;
    int32_t result;
    switch (turn % 5) {
    case 0:
        result = zf_write(side->endpoint, rma);
        break;
    case 1:
        result = zf_read(side->endpoint, rma);
        break;
    case 2:
        result = zf_receive(side->endpoint, 0, address_of(incoming[lane]), MESSAGE_BYTES, turn);
        break;
    default:
        result = zf_send(side->endpoint, side->peer, 0, address_of(outgoing[lane]), bytes, turn);
        break;
    }
    /* A provider may refuse to begin what has no one to go to. */
    tally->begun += result == 0;
    tally->failed += result < 0 && result != AGAIN ? 1 : 0;
    tally->begun += result < 0 && result != AGAIN ? 1 : 0;
    if (result < 0 && result != AGAIN) {
        tally->status = result;
    }
}

static void collect(struct side *side, struct tally *tally) {
    pump(side);
    for (int i = 0; i < side->filled; i++) {
        int32_t status = side->inbox[i].status;
        if (side->inbox[i].kind == ZF_NO_OPERATION) {
            /* shm could not fetch a message of the dead that no receive was posted for yet. */
            CHECK(status < 0);
            continue;
        }
        tally->worked += status == 0;
        tally->failed += status < 0;
        tally->status = status < 0 ? status : tally->status;
    }
    side->taken = 0;
    side->filled = 0;
}

static void work(struct side *side, const struct zf_rma *rma, int64_t duration_ns, struct tally *tally) {
    int64_t end_ns = now_ns() + duration_ns;
    for (uint64_t turn = 0; now_ns() < end_ns; turn++) {
        begin(side, rma, turn, tally);
        collect(side, tally);
    }
}

static struct zf_rma exchange_memory(struct side *side) {
    int64_t registration = zf_register(side->endpoint, address_of(shared), BYTES,
                                       ZF_REMOTE_READ | ZF_REMOTE_WRITE | ZF_READ | ZF_WRITE);
    struct zf_remote remote;
    CHECK(registration > 0);
    CHECK_IS(0, zf_remote_key(side->endpoint, registration, &remote));
    tell(side, &remote, sizeof remote);
    hear(side, &remote, sizeof remote);
    struct zf_rma rma;
    memset(&rma, 0, sizeof rma);
    rma.peer = side->peer;
    rma.registration = registration;
    rma.address = address_of(shared);
    rma.bytes = BYTES;
    rma.remote_address = remote.address;
    rma.remote_key = remote.key;
    return rma;
}

/*
 * Whoever dies inside a call of shm may hold a lock in memory that the survivor shares; it then spins on that
 * lock for ever, in zf_poll or zf_close. There is no way out of that here, so the peer dies outside of calls.
 */
static int dies_in_the_middle(const struct side *side) {
    return strcmp(side->provider, "shm") != 0;
}

static void be_killed(struct side *side) {
    struct zf_rma rma = exchange_memory(side);
    struct tally tally = {0, 0, 0, 0};
    meet(side);
    if (dies_in_the_middle(side)) {
        work(side, &rma, INT64_C(60) * 1000000000, &tally);
    }
    work(side, &rma, 300000000, &tally);
    tell(side, "p", 1);
    (void)pause();
}

static void survive(struct side *side) {
    struct zf_rma rma = exchange_memory(side);
    struct tally before = {0, 0, 0, 0};
    struct tally after = {0, 0, 0, 0};
    meet(side);
    work(side, &rma, 300000000, &before);
    if (!dies_in_the_middle(side)) {
        char paused;
        hear(side, &paused, 1);
    }
    CHECK_IS(0, kill(side->other, SIGKILL));
    work(side, &rma, AFTER_NS, &after);
    struct zf_counts counts = counts_of(side->endpoint);
    CHECK(before.begun + after.begun ==
          before.worked + before.failed + after.worked + after.failed + counts.transmits + counts.receives);
    char text[320];
    (void)zf_last_error(side->endpoint, text, (int32_t)sizeof text);
    int32_t removed = zf_peer_remove(side->endpoint, side->peer);
    int64_t closing_ns = now_ns();
    close_side(side);
    closing_ns = now_ns() - closing_ns;
    (void)printf("%-12s before the kill %lld worked, %lld failed; 1 s after it %lld worked, %lld failed (last %d), "
                 "%d transmits and %d receives never completed; removing the peer %d, closing %.1f ms; %s\n",
                 side->provider, (long long)before.worked, (long long)before.failed, (long long)after.worked,
                 (long long)after.failed, after.status, counts.transmits, counts.receives, removed,
                 (double)closing_ns / 1e6, text);
    CHECK_IS(0, before.failed);
    CHECK(closing_ns < 1000000000);
    /* An endpoint opened afterwards works: nothing of the dead peer is in the way. */
    struct zf_options options = options_for(side->provider, 0);
    side->endpoint = open_or_fail(&options);
    side->inbox = calloc(INBOX_MAX, sizeof *side->inbox);
    CHECK(side->inbox != NULL);
    side->taken = 0;
    side->filled = 0;
    side->peer = add_self(side->endpoint);
    CHECK_IS(0, zf_receive(side->endpoint, 0, address_of(incoming[0]), MESSAGE_BYTES, 2));
    send_all(side, 0, outgoing[0], 8, 1);
    CHECK_IS(0, next(side).status);
    CHECK_IS(0, next(side).status);
}

static const struct scenario SCENARIOS[] = {
    {"a peer that is killed", {survive, be_killed}, ZF_WANT_RMA, 64, 1},
    {"a peer that is killed, with a wait object", {survive, be_killed}, ZF_WANT_RMA | ZF_WANT_WAIT, 64, 1},
};

int main(int count, char **arguments) {
    CHECK(count == 2);
    for (size_t i = 0; i < sizeof SCENARIOS / sizeof SCENARIOS[0]; i++) {
        run_scenario(&SCENARIOS[i], arguments[1]);
    }
    return 0;
}
