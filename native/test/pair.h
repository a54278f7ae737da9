/*
 * Two processes with an endpoint each, and a socket between them to agree on things.
 *
 * The parent never touches libfabric: every scenario forks both sides anew, so that none inherits
 * what another left behind.
 */
#ifndef ZIP_PAIR_H
#define ZIP_PAIR_H

#include "check.h"

#define INBOX_MAX 65536
#define PATIENCE_NS (INT64_C(20) * 1000000000)

struct side {
    const char *provider;
    int number; /* 0 or 1 */
    int socket;
    pid_t other; /* process of the other side; known to side 0 only */
    int64_t endpoint;
    int32_t peer;
    struct zf_facts facts;
    struct zf_completion *inbox;
    int taken; /* of inbox */
    int filled;
};

typedef void (*side_function)(struct side *side);

struct scenario {
    const char *name;
    side_function sides[2];
    uint32_t wants;
    int32_t depth;    /* of both queues; 0: the default */
    int killed_side;  /* 1: side 1 is expected to be killed; 0: none is */
};

/** Runs a scenario over a provider; ends the process if it fails. */
void run_scenario(const struct scenario *scenario, const char *provider);

/** Polls once into the inbox. */
void pump(struct side *side);

/** Waits for the next completion, in the order of arrival. */
struct zf_completion next(struct side *side);

/** Waits for the next, which must be of this kind and context, and have worked. */
struct zf_completion expect(struct side *side, int32_t kind, uint64_t context);

/** Sends to the other side, again and again while queues are full or no connection is made. */
void send_all(struct side *side, int64_t registration, const void *memory, int64_t bytes, uint64_t context);

/** Both sides get here before one goes on. Makes progress while it waits. */
void meet(struct side *side);

void tell(struct side *side, const void *bytes, size_t count);
void hear(struct side *side, void *bytes, size_t count);

void close_side(struct side *side);

/** The same, where zf_close may have something to say: its answer. */
int32_t end_side(struct side *side);

static inline void fill(uint8_t *memory, int64_t bytes, uint32_t seed) {
    for (int64_t i = 0; i < bytes; i++) {
        memory[i] = (uint8_t)((uint32_t)i * 31U + ((uint32_t)i >> 8) + seed);
    }
}

static inline void check_filled(const uint8_t *memory, int64_t bytes, uint32_t seed) {
    for (int64_t i = 0; i < bytes; i++) {
        uint8_t expected = (uint8_t)((uint32_t)i * 31U + ((uint32_t)i >> 8) + seed);
        if (memory[i] != expected) {
            (void)fprintf(stderr, "byte %lld of %lld\n", (long long)i, (long long)bytes);
            CHECK_IS(expected, memory[i]);
        }
    }
}

#endif
