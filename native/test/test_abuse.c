/* Everything a caller can do wrong, in one process: test_abuse PROVIDER. Nothing of it may crash. */
#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>

#include "check.h"

static uint8_t memory[65536];
static int64_t here; /* its address */

static struct zf_rma rma_to(int32_t peer) {
    struct zf_rma rma;
    memset(&rma, 0, sizeof rma);
    rma.peer = peer;
    rma.address = here;
    rma.bytes = 8;
    return rma;
}

/* Every function with this as its endpoint, all other arguments being right. */
static void check_stale_everywhere(int64_t endpoint, int64_t registration, int32_t peer) {
    uint8_t address[512] = "fi_shm://nobody";
    char text[64];
    struct zf_facts facts = {.bytes = (int32_t)sizeof facts};
    struct zf_counts counts = {.bytes = (int32_t)sizeof counts};
    struct zf_remote remote;
    struct zf_completion completion;
    struct zf_rma rma = rma_to(peer);
    CHECK_IS(ZF_ESTALE, zf_close(endpoint));
    CHECK_IS(ZF_ESTALE, zf_facts(endpoint, &facts));
    CHECK_IS(ZF_ESTALE, zf_counts(endpoint, &counts));
    CHECK_IS(ZF_ESTALE, zf_last_error(endpoint, text, (int32_t)sizeof text));
    CHECK_IS(ZF_ESTALE, zf_address(endpoint, address, (int32_t)sizeof address));
    CHECK_IS(ZF_ESTALE, zf_peer_add(endpoint, address, 16));
    CHECK_IS(ZF_ESTALE, zf_peer_remove(endpoint, peer));
    CHECK_IS(ZF_ESTALE, zf_register(endpoint, here, 8, ZF_SEND));
    CHECK_IS(ZF_ESTALE, zf_deregister(endpoint, registration));
    CHECK_IS(ZF_ESTALE, zf_remote_key(endpoint, registration, &remote));
    CHECK_IS(ZF_ESTALE, zf_send(endpoint, peer, 0, here, 8, 1));
    CHECK_IS(ZF_ESTALE, zf_send_from(endpoint, &rma));
    CHECK_IS(ZF_ESTALE, zf_inject(endpoint, peer, here, 8));
    CHECK_IS(ZF_ESTALE, zf_receive(endpoint, 0, here, 8, 1));
    CHECK_IS(ZF_ESTALE, zf_write(endpoint, &rma));
    CHECK_IS(ZF_ESTALE, zf_read(endpoint, &rma));
    CHECK_IS(ZF_ESTALE, zf_cancel(endpoint, 1));
    CHECK_IS(ZF_ESTALE, zf_poll(endpoint, &completion, 1));
    CHECK_IS(ZF_ESTALE, zf_wait(endpoint, 0));
    CHECK_IS(ZF_ESTALE, zf_wait_fd(endpoint));
}

static void stale_handles(const char *provider) {
    struct zf_options options = options_for(provider, ZF_WANT_RMA);
    int64_t closed = open_or_fail(&options);
    int32_t closed_peer = add_self(closed);
    int64_t closed_registration = zf_register(closed, here, 64, ZF_SEND);
    CHECK(closed_registration > 0);
    CHECK_IS(0, zf_close(closed));
    int64_t open = open_or_fail(&options);
    int64_t registration = zf_register(open, here, 64, ZF_SEND | ZF_REMOTE_READ);
    int32_t peer = add_self(open);
    const int64_t wrong[] = {closed,    registration, closed_registration, 0,        -1, 1,
                             INT64_MAX, INT64_MIN,    open + 1,            open - 1,
                             open ^ (INT64_C(1) << 16), open + (INT64_C(1) << 17), here, 4096, 65535};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        check_stale_everywhere(wrong[i], registration, closed_peer);
        check_stale_everywhere(wrong[i], closed_registration, peer);
    }
    /* An open endpoint, but registrations and peers that are not its own. */
    const int64_t foreign[] = {closed_registration, open, -1, 1, INT64_MAX, INT64_MIN, registration + 1, here};
    struct zf_remote remote;
    struct zf_rma rma = rma_to(peer);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        rma.registration = foreign[i];
        CHECK_IS(ZF_ESTALE, zf_deregister(open, foreign[i]));
        CHECK_IS(ZF_ESTALE, zf_remote_key(open, foreign[i], &remote));
        CHECK_IS(ZF_ESTALE, zf_send(open, peer, foreign[i], here, 8, 1));
        CHECK_IS(ZF_ESTALE, zf_send_from(open, &rma));
        CHECK_IS(ZF_ESTALE, zf_receive(open, foreign[i], here, 8, 1));
        CHECK_IS(ZF_ESTALE, zf_write(open, &rma));
        CHECK_IS(ZF_ESTALE, zf_read(open, &rma));
    }
    CHECK_IS(ZF_ESTALE, zf_deregister(open, 0));
    const int32_t strangers[] = {-1, INT_MIN, INT_MAX, 1, 65535, peer + 65536};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        rma = rma_to(strangers[i]);
        CHECK_IS(ZF_ESTALE, zf_send(open, strangers[i], 0, here, 8, 1));
        CHECK_IS(ZF_ESTALE, zf_send_from(open, &rma));
        CHECK_IS(ZF_ESTALE, zf_inject(open, strangers[i], here, 8));
        CHECK_IS(ZF_ESTALE, zf_write(open, &rma));
        CHECK_IS(ZF_ESTALE, zf_read(open, &rma));
        CHECK_IS(ZF_ESTALE, zf_peer_remove(open, strangers[i]));
    }
    CHECK_IS(0, zf_peer_remove(open, peer));
    CHECK_IS(ZF_ESTALE, zf_peer_remove(open, peer));
    rma = rma_to(peer);
    CHECK_IS(ZF_ESTALE, zf_send(open, peer, 0, here, 8, 1));
    CHECK_IS(ZF_ESTALE, zf_send_from(open, &rma));
    int32_t again = add_self(open);
    CHECK(again != peer);
    CHECK_IS(again, add_self(open));
    CHECK_IS(1, counts_of(open).peers);
    CHECK_IS(ZF_ESTALE, zf_send(open, peer, 0, here, 8, 1));
    CHECK_IS(0, counts_of(open).transmits);
    CHECK_IS(0, zf_close(open));
}

static void wrong_options(const char *provider) {
    struct zf_options good = options_for(provider, 0);
    struct zf_options bad;
    CHECK_IS(ZF_EARG, zf_open(NULL));
#define REFUSED(code, change)         \
    bad = good;                       \
    change;                           \
    CHECK_IS(code, zf_open(&bad))
    REFUSED(ZF_EVERSION, bad.bytes = 0);
    REFUSED(ZF_EVERSION, bad.bytes = good.bytes + 8);
    REFUSED(ZF_EARG, bad.wants = 0x80000000U);
    REFUSED(ZF_EARG, bad.transmit_depth = -1);
    REFUSED(ZF_EARG, bad.receive_depth = INT_MAX);
    REFUSED(ZF_EARG, bad.notification_depth = -5);
    REFUSED(ZF_EARG, bad.peers_max = 65537);
    REFUSED(ZF_EARG, bad.registrations_max = -1);
    REFUSED(ZF_EARG, bad.reserved = 1);
    REFUSED(ZF_EARG, bad.inject_bytes_min = -1);
    REFUSED(ZF_EARG, bad.buffered_bytes = -1);
    REFUSED(ZF_EARG, memset(bad.provider, 'p', sizeof bad.provider));
    REFUSED(ZF_EARG, memset(bad.domain, 'd', sizeof bad.domain));
    REFUSED(ZF_EARG, memset(bad.fabric, 'f', sizeof bad.fabric));
    REFUSED(ZF_EARG, memset(bad.node, 'n', sizeof bad.node));
    /* What libfabric does not find. */
    REFUSED(-61, (void)snprintf(bad.provider, sizeof bad.provider, "nonsense"));
    REFUSED(-61, (void)snprintf(bad.domain, sizeof bad.domain, "no-such-domain"));
    REFUSED(-61, bad.inject_bytes_min = INT64_C(1) << 40);
    CHECK_IS(0, zf_open_endpoints());
}

static void wrong_arguments(const char *provider) {
    struct zf_options options = options_for(provider, ZF_WANT_RMA);
    int64_t open = open_or_fail(&options);
    int32_t peer = add_self(open);
    struct zf_facts facts = facts_of(open);
    struct zf_counts counts = {.bytes = 0};
    struct zf_remote remote;
    struct zf_completion completion;
    uint8_t address[600];
    memset(address, 'a', sizeof address);
    CHECK_IS(ZF_EARG, zf_facts(open, NULL));
    CHECK_IS(ZF_EARG, zf_counts(open, NULL));
    CHECK_IS(ZF_EVERSION, zf_counts(open, &counts));
    facts.bytes = 1;
    CHECK_IS(ZF_EVERSION, zf_facts(open, &facts));
    facts = facts_of(open);
    CHECK_IS(ZF_EARG, zf_last_error(open, NULL, 9));
    CHECK_IS(ZF_EARG, zf_address(open, NULL, 9));
    CHECK_IS(ZF_EARG, zf_address(open, address, -1));
    CHECK_IS(facts.address_bytes, zf_address(open, address, 1));
    CHECK_IS('a', address[0]);
    CHECK_IS(ZF_EARG, zf_peer_add(open, NULL, 16));
    CHECK_IS(ZF_EARG, zf_peer_add(open, address, 0));
    CHECK_IS(ZF_EARG, zf_peer_add(open, address, -1));
    CHECK_IS(ZF_EARG, zf_peer_add(open, address, 600));
    CHECK_IS(ZF_EARG, zf_peer_add(open, address, 5));
    CHECK_IS(ZF_EARG, zf_register(open, 0, 8, ZF_SEND));
    CHECK_IS(ZF_EARG, zf_register(open, -8, 8, ZF_SEND));
    CHECK_IS(ZF_EARG, zf_register(open, here, 0, ZF_SEND));
    CHECK_IS(ZF_EARG, zf_register(open, here, -8, ZF_SEND));
    CHECK_IS(ZF_EARG, zf_register(open, here, INT64_MAX, ZF_SEND));
    CHECK_IS(ZF_EARG, zf_register(open, here, 8, 0));
    CHECK_IS(ZF_EARG, zf_register(open, here, 8, 64));
    CHECK_IS(ZF_EARG, zf_send(open, peer, 0, 0, 8, 1));
    CHECK_IS(ZF_EARG, zf_send(open, peer, 0, -1, 8, 1));
    CHECK_IS(ZF_EARG, zf_send(open, peer, 0, here, -8, 1));
    CHECK_IS(ZF_EARG, zf_send(open, peer, 0, here, INT64_MAX, 1));
    CHECK_IS(ZF_EARG, zf_inject(open, peer, 0, 8));
    CHECK_IS(ZF_EARG, zf_inject(open, peer, here, facts.inject_bytes_max + 1));
    CHECK_IS(ZF_EARG, zf_inject(open, peer, here, -1));
    CHECK_IS(ZF_EARG, zf_receive(open, 0, 0, 8, 1));
    CHECK_IS(ZF_EARG, zf_receive(open, 0, here, -1, 1));
    CHECK_IS(ZF_EARG, zf_write(open, NULL));
    CHECK_IS(ZF_EARG, zf_read(open, NULL));
    CHECK_IS(ZF_EARG, zf_poll(open, NULL, 1));
    CHECK_IS(ZF_EARG, zf_poll(open, &completion, 0));
    CHECK_IS(ZF_EARG, zf_poll(open, &completion, -1));
    CHECK_IS(ZF_EARG, zf_wait(open, -2));
    /* Registrations for something else, and places outside of them. */
    int64_t registration = zf_register(open, here + 64, 64, ZF_SEND);
    CHECK(registration > 0);
    CHECK_IS(ZF_EACCESS, zf_receive(open, registration, here + 64, 8, 1));
    CHECK_IS(ZF_EARG, zf_send(open, peer, registration, here + 63, 8, 1));
    CHECK_IS(ZF_EARG, zf_send(open, peer, registration, here + 121, 8, 1));
    CHECK_IS(ZF_EARG, zf_send(open, peer, registration, here + 64, 65, 1));
    CHECK_IS(ZF_EARG, zf_remote_key(open, registration, NULL));
    CHECK_IS(ZF_EACCESS, zf_remote_key(open, registration, &remote));
    struct zf_rma rma = rma_to(peer);
    rma.flags = 4;
    CHECK_IS(ZF_EARG, zf_write(open, &rma));
    rma.flags = ZF_RMA_DELIVERED;
    CHECK_IS(ZF_EARG, zf_read(open, &rma));
    rma = rma_to(peer);
    rma.registration = registration;
    rma.address = here + 64;
    CHECK_IS(ZF_EACCESS, zf_write(open, &rma));
    CHECK_IS(ZF_EACCESS, zf_read(open, &rma));
    CHECK_IS(0, counts_of(open).transmits);
    CHECK_IS(0, counts_of(open).receives);
    CHECK_IS(1, counts_of(open).registrations);
    CHECK_IS(0, zf_close(open));
}

/* A send with its arguments in memory is checked as one without, and for fields that are not a send's. */
static void wrong_descriptions(const char *provider) {
    struct zf_options options = options_for(provider, 0);
    int64_t open = open_or_fail(&options);
    int32_t peer = add_self(open);
    struct zf_rma good = rma_to(peer);
    struct zf_rma bad;
    CHECK_IS(ZF_EARG, zf_send_from(open, NULL));
#define NOT_SENT(code, change)        \
    bad = good;                       \
    change;                           \
    CHECK_IS(code, zf_send_from(open, &bad))
    NOT_SENT(ZF_EARG, bad.flags = ZF_RMA_NOTIFY);
    NOT_SENT(ZF_EARG, bad.flags = ZF_RMA_DELIVERED);
    NOT_SENT(ZF_EARG, bad.flags = 0x80000000U);
    NOT_SENT(ZF_EARG, bad.remote_address = 1);
    NOT_SENT(ZF_EARG, bad.remote_key = 1);
    NOT_SENT(ZF_EARG, bad.data = 1);
    NOT_SENT(ZF_EARG, bad.reserved = 1);
    NOT_SENT(ZF_EARG, bad.address = 0);
    NOT_SENT(ZF_EARG, bad.address = -1);
    NOT_SENT(ZF_EARG, bad.address = INT64_MAX);
    NOT_SENT(ZF_EARG, bad.bytes = -8);
    NOT_SENT(ZF_EARG, bad.bytes = INT64_MAX);
    NOT_SENT(ZF_EARG, bad.bytes = INT64_MIN);
    /* Outside of its registration, with one made for something else, and with one that is no more. */
    good.registration = zf_register(open, here + 64, 64, ZF_SEND);
    int64_t received = zf_register(open, here, 64, ZF_RECEIVE);
    CHECK(good.registration > 0 && received > 0);
    NOT_SENT(ZF_EARG, bad.address = here + 63);
    NOT_SENT(ZF_EARG, bad.address = here + 121);
    NOT_SENT(ZF_EARG, bad.address = here + 128);
    NOT_SENT(ZF_EARG, (bad.address = here + 64, bad.bytes = 65));
    NOT_SENT(ZF_EACCESS, bad.registration = received);
    CHECK_IS(0, zf_deregister(open, good.registration));
    NOT_SENT(ZF_ESTALE, bad.address = here + 64);
    struct zf_counts counts = counts_of(open);
    CHECK_IS(0, counts.transmits);
    CHECK_IS(1, counts.registrations);
    CHECK_IS(0, zf_close(open));
    NOT_SENT(ZF_ESTALE, bad.registration = 0);
}

static void without_rma(const char *provider) {
    struct zf_options options = options_for(provider, 0);
    int64_t open = open_or_fail(&options);
    struct zf_rma rma = rma_to(add_self(open));
    CHECK_IS(ZF_ENORMA, zf_write(open, &rma));
    CHECK_IS(ZF_ENORMA, zf_read(open, &rma));
    CHECK_IS(ZF_ENORMA, zf_register(open, here, 8, ZF_REMOTE_WRITE));
    CHECK(zf_register(open, here, 8, ZF_SEND) > 0);
    CHECK_IS(0, zf_close(open));
}

static void full_tables(const char *provider) {
    struct zf_options options = options_for(provider, ZF_WANT_RMA);
    options.registrations_max = 3;
    options.receive_depth = 2;
    options.peers_max = 1;
    int64_t open = open_or_fail(&options);
    int64_t handles[3];
    (void)add_self(open);
    for (int i = 0; i < 3; i++) {
        handles[i] = zf_register(open, here, 64, ZF_REMOTE_WRITE);
        CHECK(handles[i] > 0);
    }
    CHECK_IS(ZF_ELIMIT, zf_register(open, here, 64, ZF_REMOTE_WRITE));
    CHECK_IS(0, zf_deregister(open, handles[1]));
    CHECK(zf_register(open, here, 64, ZF_REMOTE_WRITE) > 0);
    CHECK_IS(ZF_ESTALE, zf_deregister(open, handles[1]));
    CHECK_IS(0, zf_receive(open, 0, here, 8, 1));
    CHECK_IS(0, zf_receive(open, 0, 0, 0, 2));
    CHECK_IS(AGAIN, zf_receive(open, 0, here, 8, 3));
    int64_t other = open_or_fail(&options);
    uint8_t address[512];
    int32_t bytes = zf_address(other, address, (int32_t)sizeof address);
    CHECK_IS(ZF_ELIMIT, zf_peer_add(open, address, bytes));
    CHECK_IS(0, zf_close(other));
    CHECK_IS(0, zf_close(open));
}

static void send_to_self(int64_t endpoint, int32_t peer) {
    struct zf_completion completions[2];
    int64_t deadline_ns = now_ns() + INT64_C(20) * 1000000000;
    int32_t sent = AGAIN;
    int32_t completed = 0;
    CHECK_IS(0, zf_receive(endpoint, 0, here + 4096, 64, 1));
    while (completed < 2) {
        CHECK(now_ns() < deadline_ns);
        if (sent != 0) {
            sent = zf_send(endpoint, peer, 0, here, 64, 2);
            CHECK(sent == 0 || sent == AGAIN);
        }
        int32_t count = zf_poll(endpoint, completions, 2);
        CHECK(count >= 0);
        for (int32_t i = 0; i < count; i++, completed++) {
            CHECK_IS(0, completions[i].status);
        }
    }
}

/* Endpoints, registrations and operations closed in every order. */
static void closed_in_any_order(const char *provider) {
    struct zf_options options = options_for(provider, ZF_WANT_RMA | ZF_WANT_NOTIFY | ZF_WANT_WAIT);
    for (int order = 0; order < 6; order++) {
        int64_t open[3];
        for (int i = 0; i < 3; i++) {
            open[i] = open_or_fail(&options);
            (void)add_self(open[i]);
            CHECK(zf_register(open[i], here, 64, ZF_REMOTE_WRITE | ZF_SEND | ZF_RECEIVE) > 0);
            CHECK_IS(0, zf_receive(open[i], 0, here, 8, 1));
        }
        CHECK_IS(3, zf_open_endpoints());
        int first = order / 2;
        int second = (first + 1 + order % 2) % 3;
        CHECK_IS(0, zf_close(open[first]));
        CHECK_IS(ZF_ESTALE, zf_receive(open[first], 0, here, 8, 1));
        CHECK_IS(0, zf_close(open[second]));
        CHECK_IS(0, zf_close(open[3 - first - second]));
    }
    CHECK_IS(0, zf_open_endpoints());
}

__attribute__((noinline)) static void be_child(const struct zf_options *options, int64_t of_parent,
                                               int64_t registration, int32_t peer) {
    (void)alarm(30);
    CHECK_IS(0, zf_open_endpoints());
    check_stale_everywhere(of_parent, registration, peer);
    int64_t own = open_or_fail(options);
    CHECK(own != of_parent);
    send_to_self(own, add_self(own));
    CHECK_IS(0, zf_close(own));
    check_stale_everywhere(of_parent, registration, peer);
    exit(0);
}

/* A child of fork has no endpoints, whatever its parent had, and may open its own; the parent notices nothing. */
__attribute__((noinline)) static void in_child(const char *provider) {
    struct zf_options options = options_for(provider, ZF_WANT_RMA);
    int64_t open = zf_open(&options); /* called from here, by which fork.supp knows it */
    CHECK(open > 0);
    int64_t neighbour = open_or_fail(&options);
    int32_t peer = add_self(open);
    int64_t registration = zf_register(open, here, 64, ZF_SEND);
    CHECK(registration > 0);
    uint8_t address[512];
    int32_t bytes = zf_address(neighbour, address, (int32_t)sizeof address);
    CHECK(zf_peer_add(open, address, bytes) >= 0);
    CHECK_IS(0, zf_close(neighbour));
    (void)fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        be_child(&options, open, registration, peer);
    }
    int status = 0;
    CHECK_IS(child, waitpid(child, &status, 0));
    CHECK_IS(0, status);
    CHECK_IS(1, zf_open_endpoints());
    send_to_self(open, peer);
    CHECK_IS(0, zf_close(open));
}

/* ---- Many threads open and close, while each tries the handles of the others. */

#define THREADS 4
#define ROUNDS 20

static _Atomic(int64_t) closed_by[THREADS];

struct worker {
    const char *provider;
    int number;
};

static void *open_and_close(void *argument) {
    const struct worker *worker = argument;
    uint8_t mine[64];
    for (int round = 0; round < ROUNDS; round++) {
        struct zf_options options = options_for(worker->provider, ZF_WANT_RMA);
        options.transmit_depth = 16;
        options.receive_depth = 16;
        int64_t open = open_or_fail(&options);
        CHECK_IS(0, zf_receive(open, 0, address_of(mine), sizeof mine, 1));
        for (int other = 0; other < THREADS; other++) {
            int64_t closed = closed_by[other];
            CHECK_IS(ZF_ESTALE, zf_receive(closed, 0, address_of(mine), sizeof mine, 1));
            CHECK_IS(ZF_ESTALE, zf_close(closed));
        }
        CHECK_IS(0, zf_close(open));
        closed_by[worker->number] = open;
    }
    return NULL;
}

static void from_many_threads(const char *provider) {
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){provider, i};
        CHECK_IS(0, pthread_create(&threads[i], NULL, open_and_close, &workers[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_IS(0, pthread_join(threads[i], NULL));
    }
    CHECK_IS(0, zf_open_endpoints());
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    here = address_of(memory);
    const char *provider = arguments[1];
    wrong_options(provider);
    wrong_arguments(provider);
    wrong_descriptions(provider);
    stale_handles(provider);
    without_rma(provider);
    full_tables(provider);
    closed_in_any_order(provider);
    in_child(provider);
    from_many_threads(provider);
    return 0;
}
