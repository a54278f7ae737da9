/*
 * Endpoints that are closed with operations in flight: test_close PROVIDER [SCENARIO...].
 *
 * A program of its own, since tcp;ofi_rxm then forgets memory: what the checkers of memory are told to overlook
 * here, and why, is in libfabric.supp; in the other programs they overlook nothing.
 */
#include <stdbool.h>
#include <sys/socket.h>

#include "pair.h"

#define MIB (INT64_C(1) << 20)

/* The only provider that cannot be closed with reads in flight. */
static bool is_tcp(const struct side *side) {
    return strstr(side->facts.provider, "tcp") != NULL;
}

static int32_t close_with_reads(struct side *side) {
    int64_t before_ns = now_ns();
    int32_t result = end_side(side);
    CHECK(now_ns() - before_ns < 1000000000);
    CHECK(result == 0 || (result == ZF_STAYS && is_tcp(side)));
    return result;
}

/* ---- Two processes: everything in flight, while the other side is still busy with it. */

static struct zf_rma rma_on(struct side *side, int64_t registration) {
    struct zf_remote remote;
    struct zf_rma rma;
    hear(side, &remote, sizeof remote);
    memset(&rma, 0, sizeof rma);
    rma.peer = side->peer;
    rma.registration = registration;
    rma.bytes = remote.bytes;
    rma.remote_address = remote.address;
    rma.remote_key = remote.key;
    return rma;
}

static void close_busy(struct side *side) {
    static uint8_t memory[8][MIB];
    int64_t registration = zf_register(side->endpoint, address_of(memory), sizeof memory, ZF_SEND | ZF_RECEIVE);
    CHECK(registration > 0);
    for (uint64_t i = 0; i < 4; i++) {
        CHECK_IS(0, zf_receive(side->endpoint, registration, address_of(memory[i]), MIB, i));
    }
    send_all(side, 0, memory[7], 8, 0);
    for (uint64_t i = 4; i < 8; i++) {
        int32_t result = zf_send(side->endpoint, side->peer, registration, address_of(memory[i]), MIB, i);
        CHECK(result == 0 || result == AGAIN);
    }
    CHECK_IS(BUSY, zf_deregister(side->endpoint, registration));
    int64_t before_ns = now_ns();
    close_side(side);
    CHECK(now_ns() - before_ns < 1000000000);
    CHECK_IS(ZF_ESTALE, zf_deregister(side->endpoint, registration));
    char done = 'd';
    tell(side, &done, 1);
}

static void watch_close(struct side *side) {
    uint8_t memory[64] = {0};
    char done = 0;
    CHECK_IS(0, zf_receive(side->endpoint, 0, address_of(memory), sizeof memory, 1));
    hear(side, &done, 1);
    close_side(side);
}

/* The same with reads and writes of the other side's memory, some of which it has not seen yet. */
static void close_reading(struct side *side) {
    static uint8_t memory[8][MIB];
    int64_t registration = zf_register(side->endpoint, address_of(memory), sizeof memory, ZF_READ | ZF_WRITE);
    CHECK(registration > 0);
    struct zf_rma rma = rma_on(side, registration);
    int64_t begun = 0;
    int64_t deadline_ns = now_ns() + PATIENCE_NS;
    for (int i = 0; i < 8; i++) {
        rma.address = address_of(memory[i]);
        int32_t result;
        while ((result = i % 2 == 0 ? zf_read(side->endpoint, &rma) : zf_write(side->endpoint, &rma)) == AGAIN) {
            CHECK(now_ns() < deadline_ns);
            pump(side);
        }
        CHECK_IS(0, result);
        begun++;
    }
    CHECK_IS(begun, counts_of(side->endpoint).transmits + side->filled - side->taken);
    (void)close_with_reads(side);
    /* It is ours again, whatever the other side still does. */
    memset(memory, 0x55, sizeof memory);
    tell(side, "d", 1);
    char watched = 0;
    hear(side, &watched, 1);
    for (size_t i = 0; i < sizeof memory; i++) {
        CHECK_IS(0x55, memory[i / MIB][i % MIB]);
    }
}

static void watch_reading(struct side *side) {
    static uint8_t memory[MIB];
    struct zf_remote remote;
    char done = 0;
    int64_t registration =
        zf_register(side->endpoint, address_of(memory), sizeof memory, ZF_REMOTE_READ | ZF_REMOTE_WRITE);
    CHECK(registration > 0);
    CHECK_IS(0, zf_remote_key(side->endpoint, registration, &remote));
    tell(side, &remote, sizeof remote);
    hear(side, &done, 1);
    int64_t end_ns = now_ns() + 50000000;
    while (now_ns() < end_ns) {
        pump(side);
    }
    tell(side, &done, 1);
    close_side(side);
}

/* With reads that the other side does not answer, since it is busy with something else: tcp then cannot be closed. */
static void close_unanswered(struct side *side) {
    static uint8_t memory[4][MIB];
    int64_t registration = zf_register(side->endpoint, address_of(memory), sizeof memory, ZF_READ);
    CHECK(registration > 0);
    struct zf_rma rma = rma_on(side, registration);
    rma.address = address_of(memory);
    rma.context = 1;
    int64_t deadline_ns = now_ns() + PATIENCE_NS;
    while (zf_read(side->endpoint, &rma) == AGAIN) {
        CHECK(now_ns() < deadline_ns);
        pump(side);
    }
    (void)expect(side, ZF_HAVE_READ, 1); /* there is a connection */
    meet(side);
    (void)usleep(20000);
    for (int i = 0; i < 4; i++) {
        rma.address = address_of(memory[i]);
        CHECK_IS(0, zf_read(side->endpoint, &rma));
    }
    CHECK_IS(is_tcp(side) ? ZF_STAYS : 0, close_with_reads(side));
    memset(memory, 0x55, sizeof memory);
    tell(side, "d", 1);
    char watched = 0;
    hear(side, &watched, 1);
    for (size_t i = 0; i < sizeof memory; i++) {
        CHECK_IS(0x55, memory[i / MIB][i % MIB]);
    }
}

static void answer_late(struct side *side) {
    static uint8_t memory[MIB];
    struct zf_remote remote;
    char done = 0;
    int64_t registration = zf_register(side->endpoint, address_of(memory), sizeof memory, ZF_REMOTE_READ);
    CHECK(registration > 0);
    CHECK_IS(0, zf_remote_key(side->endpoint, registration, &remote));
    tell(side, &remote, sizeof remote);
    meet(side);
    CHECK_IS(1, recv(side->socket, &done, 1, MSG_WAITALL)); /* makes no progress meanwhile */
    int64_t end_ns = now_ns() + 50000000;
    while (now_ns() < end_ns) {
        pump(side);
    }
    tell(side, &done, 1);
    close_side(side);
}

/* ---- One process. */

static uint8_t mine[8192];

/* Two endpoints of one process that are peers, one of which is closed while the other still sends. */
static void peer_closed(const char *provider) {
    struct zf_options options = options_for(provider, ZF_WANT_RMA);
    int64_t closed = open_or_fail(&options);
    int64_t open = open_or_fail(&options);
    struct zf_completion completions[16];
    uint8_t address[512];
    int32_t bytes = zf_address(closed, address, (int32_t)sizeof address);
    int32_t peer = zf_peer_add(open, address, bytes);
    CHECK(peer >= 0);
    for (int i = 0; i < 100; i++) {
        int32_t sent = zf_send(open, peer, 0, address_of(mine), 8192, 1);
        CHECK(sent == 0 || sent == AGAIN);
        CHECK(zf_poll(open, completions, 16) >= 0);
        CHECK(zf_poll(closed, completions, 16) >= 0);
    }
    CHECK_IS(0, zf_close(closed));
    struct zf_rma rma;
    memset(&rma, 0, sizeof rma);
    rma.peer = peer;
    rma.address = address_of(mine);
    rma.bytes = 8;
    for (int i = 0; i < 100; i++) {
        (void)zf_send(open, peer, 0, address_of(mine), 8192, 1);
        (void)zf_inject(open, peer, address_of(mine), 8);
        (void)zf_write(open, &rma);
        (void)zf_read(open, &rma);
        CHECK(zf_poll(open, completions, 16) >= 0);
    }
    CHECK_IS(0, zf_peer_remove(open, peer));
    int32_t again = zf_peer_add(open, address, bytes);
    if (strcmp(provider, "shm") == 0) {
        CHECK_IS(NO_ENTRY, again);
    } else {
        CHECK(again >= 0);
    }
    CHECK(zf_poll(open, completions, 16) >= 0);
    CHECK_IS(0, zf_close(open));
}

/*
 * Three endpoints of one process that are all peers, closed in any order: those that are left still have messages of
 * the closed ones to take, which in shm are in, or point into, memory of the closed.
 */
#define TRIO 3

struct trio {
    int64_t open[TRIO]; /* 0: closed */
    int32_t peers[TRIO][TRIO];
};

static void poll_trio(const struct trio *trio) {
    struct zf_completion completions[16];
    for (int i = 0; i < TRIO; i++) {
        CHECK(trio->open[i] == 0 || zf_poll(trio->open[i], completions, 16) >= 0);
    }
}

static struct trio open_trio(const char *provider) {
    static uint8_t received[TRIO][4][65536];
    struct zf_options options = options_for(provider, ZF_WANT_RMA);
    struct trio trio;
    uint8_t address[512];
    for (int i = 0; i < TRIO; i++) {
        trio.open[i] = open_or_fail(&options);
        for (uint64_t posted = 0; posted < 4; posted++) {
            CHECK_IS(0, zf_receive(trio.open[i], 0, address_of(received[i][posted]), 65536, posted));
        }
    }
    for (int i = 0; i < TRIO; i++) {
        for (int j = 0; j < TRIO; j++) {
            int32_t bytes = zf_address(trio.open[j], address, (int32_t)sizeof address);
            trio.peers[i][j] = zf_peer_add(trio.open[i], address, bytes);
            CHECK(trio.peers[i][j] >= 0);
        }
    }
    return trio;
}

/* Short and long messages from each to each, as far as they go: to an endpoint that is closed they go nowhere. */
static void send_in_trio(const struct trio *trio, int polls) {
    static uint8_t memory[65536];
    for (int turn = 0; turn < 12; turn++) {
        for (int i = 0; i < TRIO; i++) {
            for (int j = 0; trio->open[i] != 0 && j < TRIO; j++) {
                int64_t bytes = turn % 2 == 0 ? 64 : (int64_t)sizeof memory;
                (void)zf_send(trio->open[i], trio->peers[i][j], 0, address_of(memory), bytes, 7);
            }
        }
        if (polls) {
            poll_trio(trio);
        }
    }
}

static void close_trio(const char *provider, int order, int polls) {
    struct trio trio = open_trio(provider);
    int first = order / 2;
    int second = (first + 1 + order % 2) % TRIO;
    const int sequence[TRIO] = {first, second, TRIO - first - second};
    send_in_trio(&trio, polls);
    for (int closed = 0; closed < TRIO; closed++) {
        CHECK_IS(0, zf_close(trio.open[sequence[closed]]));
        trio.open[sequence[closed]] = 0;
        for (int i = 0; i < 20; i++) {
            poll_trio(&trio);
        }
        send_in_trio(&trio, 1);
        for (int i = 0; i < TRIO; i++) {
            int32_t peer = trio.peers[i][sequence[closed]];
            CHECK(trio.open[i] == 0 || zf_peer_remove(trio.open[i], peer) <= 0);
        }
    }
}

static int files_of_shm(void) {
    char prefix[32];
    int count = 0;
    (void)snprintf(prefix, sizeof prefix, "zip-%d-", (int)getpid());
    DIR *memory = opendir("/dev/shm");
    CHECK(memory != NULL);
    for (struct dirent *entry = readdir(memory); entry != NULL; entry = readdir(memory)) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }
    (void)closedir(memory);
    return count;
}

static const struct scenario SCENARIOS[] = {
    {"closing with messages in flight", {close_busy, watch_close}, 0, 0, 0},
    {"closing with reads and writes in flight", {close_reading, watch_reading}, ZF_WANT_RMA, 0, 0},
    {"closing with reads that nobody answers", {close_unanswered, answer_late}, ZF_WANT_RMA, 0, 0},
};

static const struct scenario *scenario_of(const char *name) {
    for (size_t i = 0; i < sizeof SCENARIOS / sizeof SCENARIOS[0]; i++) {
        if (strcmp(name, SCENARIOS[i].name) == 0) {
            return &SCENARIOS[i];
        }
    }
    return NULL;
}

int main(int count, char **arguments) {
    CHECK(count >= 2);
    const char *provider = arguments[1];
    for (int i = 2; i < count; i++) {
        const struct scenario *scenario = scenario_of(arguments[i]);
        CHECK(scenario != NULL);
        run_scenario(scenario, provider);
    }
    if (count > 2) {
        return 0;
    }
    for (size_t i = 0; i < sizeof SCENARIOS / sizeof SCENARIOS[0]; i++) {
        run_scenario(&SCENARIOS[i], provider);
    }
    peer_closed(provider);
    for (int order = 0; order < 6; order++) {
        close_trio(provider, order, 0);
        close_trio(provider, order, 1);
    }
    CHECK_IS(0, zf_open_endpoints());
    CHECK_IS(0, files_of_shm());
    return 0;
}
