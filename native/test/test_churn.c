/*
 * Opens and closes again and again, and watches what does not come back: test_churn PROVIDER ROUNDS CYCLES.
 *
 * A round opens two endpoints of one process and closes them; a cycle registers memory, sends a message from one
 * to the other, at times writes to its memory too, and deregisters. After some rounds to warm up, neither
 * descriptors nor registrations may grow at all, what is allocated not by more than what libfabric is known to
 * keep of an endpoint, and mappings and resident memory not by more than their slack.
 */
#include <malloc.h>

#include "check.h"

#define REPORTS 10
#define WARM_REPORTS 3
/* What the allocator and libfabric's pools wander by, whatever the number of rounds. */
#define RESIDENT_SLACK (INT64_C(6) << 20)
/* What the allocator keeps at hand of what was freed counts as allocated: 7 pieces of each of 64 sizes up to 1 KiB. */
#define ALLOCATED_SLACK (INT64_C(256) << 10)
#define MAPPINGS_SLACK 8
/*
 * The provider shm notes the name of every endpoint it opens in a list of the process, and never takes one off: 280
 * bytes from smr_create, which the allocator makes 288. tcp;ofi_rxm keeps nothing.
 */
#define SHM_NAME_BYTES 288
/* The address sanitizer and valgrind keep what was freed, to see who still uses it; they look for leaks themselves. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif
#define PATIENCE_NS (INT64_C(30) * 1000000000)

/* What a process holds at a time when no endpoint is open. */
struct held {
    int64_t resident_bytes;
    int64_t allocated_bytes;
    int mappings;
    int descriptors;
};

static uint8_t source[65536];
static uint8_t target[65536];

struct both {
    int64_t sender;
    int64_t receiver;
    int32_t peer;
};

static int64_t open_small(const char *provider) {
    struct zf_options options = options_for(provider, ZF_WANT_RMA);
    options.transmit_depth = 32;
    options.receive_depth = 32;
    options.peers_max = 16;
    options.registrations_max = 16;
    return open_or_fail(&options);
}

static struct both open_both(const char *provider) {
    struct both both = {.sender = open_small(provider), .receiver = open_small(provider)};
    uint8_t address[512];
    int32_t bytes = zf_address(both.receiver, address, (int32_t)sizeof address);
    both.peer = zf_peer_add(both.sender, address, bytes);
    CHECK(both.peer >= 0);
    return both;
}

/* Until both endpoints have completed what was begun on them. */
static void finish(const struct both *both) {
    struct zf_completion completions[8];
    int64_t deadline_ns = now_ns() + PATIENCE_NS;
    while (counts_of(both->sender).transmits > 0 || counts_of(both->receiver).receives > 0) {
        CHECK(now_ns() < deadline_ns);
        for (int end = 0; end < 2; end++) {
            int32_t count = zf_poll(end == 0 ? both->sender : both->receiver, completions, 8);
            CHECK(count >= 0);
            for (int32_t i = 0; i < count; i++) {
                CHECK_IS(0, completions[i].status);
            }
        }
    }
}

static void until_taken(const struct both *both, int64_t registration, int64_t bytes, const struct zf_rma *rma) {
    struct zf_completion completion;
    int64_t deadline_ns = now_ns() + PATIENCE_NS;
    int32_t result;
    do {
        CHECK(now_ns() < deadline_ns);
        result = rma == NULL ? zf_send(both->sender, both->peer, registration, address_of(source), bytes, 1)
                             : zf_write(both->sender, rma);
        if (result == AGAIN) {
            CHECK_IS(0, zf_poll(both->sender, &completion, 1));
            CHECK_IS(0, zf_poll(both->receiver, &completion, 1));
        }
    } while (result == AGAIN);
    CHECK_IS(0, result);
}

static void write_once(const struct both *both, int64_t local, int64_t lent) {
    struct zf_remote remote;
    struct zf_rma rma;
    memset(&rma, 0, sizeof rma);
    CHECK_IS(0, zf_remote_key(both->receiver, lent, &remote));
    rma.peer = both->peer;
    rma.registration = local;
    rma.address = address_of(source);
    rma.bytes = (int64_t)sizeof source;
    rma.remote_address = remote.address;
    rma.remote_key = remote.key;
    until_taken(both, 0, 0, &rma);
    finish(both);
}

static void cycle(const struct both *both, int64_t number) {
    int64_t bytes = number % 16 == 0 ? (int64_t)sizeof source : 8 + number % 1024;
    int64_t local = zf_register(both->sender, address_of(source), (int64_t)sizeof source, ZF_SEND | ZF_WRITE);
    int64_t lent =
        zf_register(both->receiver, address_of(target), (int64_t)sizeof target, ZF_RECEIVE | ZF_REMOTE_WRITE);
    CHECK(local > 0 && lent > 0);
    CHECK_IS(0, zf_receive(both->receiver, lent, address_of(target), (int64_t)sizeof target, 2));
    until_taken(both, local, bytes, NULL);
    finish(both);
    if (number % 8 == 0) {
        write_once(both, local, lent);
    }
    CHECK_IS(0, zf_deregister(both->sender, local));
    CHECK_IS(0, zf_deregister(both->receiver, lent));
}

static void round_of(const char *provider, int64_t cycles) {
    struct both both = open_both(provider);
    for (int64_t number = 0; number < cycles; number++) {
        cycle(&both, number);
    }
    CHECK_IS(0, counts_of(both.sender).registrations);
    CHECK_IS(0, counts_of(both.receiver).registrations);
    CHECK_IS(0, zf_close(both.sender));
    CHECK_IS(0, zf_close(both.receiver));
    CHECK_IS(0, zf_open_endpoints());
}

static int mappings(void) {
    FILE *file = fopen("/proc/self/maps", "r");
    CHECK(file != NULL);
    int count = 0;
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) {
        count += c == '\n';
    }
    (void)fclose(file);
    return count;
}

static struct held held_now(void) {
    /* The pools of tcp;ofi_rxm are tens of MiB, which the allocator keeps or not as it likes. */
    (void)malloc_trim(0);
    struct mallinfo2 allocator = mallinfo2();
    struct held held = {
        .resident_bytes = resident_bytes(),
        .allocated_bytes = (int64_t)(allocator.uordblks + allocator.hblkhd),
        .mappings = mappings(),
        .descriptors = open_descriptors(),
    };
    return held;
}

static void check_no_growth(const struct held *warm, const struct held *now, int64_t endpoints, int64_t kept_each) {
    CHECK_IS(warm->descriptors, now->descriptors);
    /* Under valgrind the allocator of the system has nothing allocated. */
    if (SANITIZED || now->allocated_bytes == 0) {
        return;
    }
    CHECK(now->mappings <= warm->mappings + MAPPINGS_SLACK);
    CHECK(now->resident_bytes <= warm->resident_bytes + RESIDENT_SLACK);
    CHECK(now->allocated_bytes <= warm->allocated_bytes + endpoints * kept_each + ALLOCATED_SLACK);
}

int main(int count, char **arguments) {
    CHECK(count == 4);
    const char *provider = arguments[1];
    int64_t rounds = atoll(arguments[2]);
    int64_t cycles = atoll(arguments[3]);
    CHECK(rounds > WARM_REPORTS && cycles >= 0);
    int64_t kept_each = strcmp(provider, "shm") == 0 ? SHM_NAME_BYTES : 0;
    int64_t every = rounds < REPORTS ? 1 : rounds / REPORTS;
    int64_t warm_rounds = every * WARM_REPORTS;
    struct held warm = {0, 0, 0, 0};
    for (int64_t round = 1; round <= rounds; round++) {
        round_of(provider, cycles);
        if (round % every != 0) {
            continue;
        }
        struct held now = held_now();
        (void)printf("%s: %lld endpoints, %lld cycles; %lld KiB resident, %lld B allocated, %d mappings, "
                     "%d descriptors\n",
                     provider, (long long)(2 * round), (long long)(round * cycles),
                     (long long)(now.resident_bytes / 1024), (long long)now.allocated_bytes, now.mappings,
                     now.descriptors);
        (void)fflush(stdout);
        if (round <= warm_rounds) {
            warm = now;
        }
        check_no_growth(&warm, &now, round <= warm_rounds ? 0 : 2 * (round - warm_rounds), kept_each);
    }
    return 0;
}
