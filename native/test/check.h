/* What every test needs: a check that says where it failed, and a few numbers about this process. */
#ifndef ZIP_CHECK_H
#define ZIP_CHECK_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "zip_fabric.h"

#define CHECK(condition)                                                                       \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);      \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

/* Prints both sides when they differ. */
#define CHECK_IS(expected, actual)                                                                        \
    do {                                                                                                  \
        long long expected_ = (long long)(expected);                                                      \
        long long actual_ = (long long)(actual);                                                          \
        if (expected_ != actual_) {                                                                       \
            (void)fprintf(stderr, "%s:%d: %s is %lld and not %lld\n", __FILE__, __LINE__, #actual, actual_, \
                          expected_);                                                                     \
            abort();                                                                                      \
        }                                                                                                 \
    } while (0)

/* libfabric's codes, of which the tests know only the numbers the header names. */
#define AGAIN (-11)
#define BUSY (-16)
#define NO_ENTRY (-2)
#define CANCELED (-125)
#define TRUNCATED (-265)

static inline int64_t now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t address_of(const void *memory) {
    return (int64_t)(intptr_t)memory;
}

static inline int count_entries(const char *directory) {
    DIR *opened = opendir(directory);
    CHECK(opened != NULL);
    int count = 0;
    while (readdir(opened) != NULL) {
        count++;
    }
    (void)closedir(opened);
    return count - 2;
}

/* The directory's own descriptor is open while it is counted. */
static inline int open_descriptors(void) {
    return count_entries("/proc/self/fd") - 1;
}

static inline int64_t resident_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL);
    long long total = 0;
    long long resident = 0;
    CHECK(fscanf(file, "%lld %lld", &total, &resident) == 2);
    (void)fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static inline struct zf_options options_for(const char *provider, uint32_t wants) {
    struct zf_options options;
    memset(&options, 0, sizeof options);
    options.bytes = (int32_t)sizeof options;
    options.wants = wants;
    (void)snprintf(options.provider, sizeof options.provider, "%s", provider);
    /* Processes of a test are on one machine. */
    if (strncmp(provider, "tcp", 3) == 0) {
        (void)snprintf(options.node, sizeof options.node, "127.0.0.1");
    }
    return options;
}

static inline int64_t open_or_fail(const struct zf_options *options) {
    int64_t endpoint = zf_open(options);
    if (endpoint <= 0) {
        char text[256];
        (void)zf_describe_error((int32_t)endpoint, text, (int32_t)sizeof text);
        (void)fprintf(stderr, "open %s: %s (%lld)\n", options->provider, text, (long long)endpoint);
    }
    CHECK(endpoint > 0);
    return endpoint;
}

static inline struct zf_facts facts_of(int64_t endpoint) {
    struct zf_facts facts = {.bytes = (int32_t)sizeof facts};
    CHECK_IS(0, zf_facts(endpoint, &facts));
    return facts;
}

static inline struct zf_counts counts_of(int64_t endpoint) {
    struct zf_counts counts = {.bytes = (int32_t)sizeof counts};
    CHECK_IS(0, zf_counts(endpoint, &counts));
    return counts;
}

static inline int32_t add_self(int64_t endpoint) {
    uint8_t address[512];
    int32_t bytes = zf_address(endpoint, address, (int32_t)sizeof address);
    CHECK(bytes > 0 && bytes <= (int32_t)sizeof address);
    int32_t peer = zf_peer_add(endpoint, address, bytes);
    CHECK(peer >= 0);
    return peer;
}

#endif
