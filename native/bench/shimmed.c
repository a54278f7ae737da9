/* The same through the shim. */
#include <stdio.h>
#include <string.h>

#include "way.h"
#include "zip_fabric.h"

static int64_t endpoint;
static int64_t registration;
static int32_t other;

static int64_t must(int64_t result, const char *what) {
    if (result < 0) {
        bench_fail(what, result);
    }
    return result;
}

static void shim_open(const char *provider, void *memory, int64_t bytes) {
    struct zf_options options;
    memset(&options, 0, sizeof options);
    options.bytes = (int32_t)sizeof options;
    options.wants = ZF_WANT_RMA;
    (void)snprintf(options.provider, sizeof options.provider, "%s", provider);
    if (strncmp(provider, "tcp", 3) == 0) {
        (void)snprintf(options.node, sizeof options.node, "127.0.0.1");
    }
    endpoint = must(zf_open(&options), "zf_open");
    registration = must(zf_register(endpoint, (int64_t)(intptr_t)memory, bytes,
                                    ZF_SEND | ZF_RECEIVE | ZF_READ | ZF_WRITE | ZF_REMOTE_READ | ZF_REMOTE_WRITE),
                        "zf_register");
}

static int32_t shim_address(uint8_t *out, int32_t bytes) {
    return (int32_t)must(zf_address(endpoint, out, bytes), "zf_address");
}

static void shim_peer(const uint8_t *address, int32_t bytes) {
    other = (int32_t)must(zf_peer_add(endpoint, address, bytes), "zf_peer_add");
}

static void shim_lent(uint64_t *remote_address, uint64_t *key) {
    struct zf_remote remote;
    (void)must(zf_remote_key(endpoint, registration, &remote), "zf_remote_key");
    *remote_address = remote.address;
    *key = remote.key;
}

static int begun(int32_t result, const char *what) {
    if (result != 0 && result != -11) {
        bench_fail(what, result);
    }
    return result == 0;
}

static int shim_send(void *memory, int64_t bytes) {
    return begun(zf_send(endpoint, other, registration, (int64_t)(intptr_t)memory, bytes, 0), "zf_send");
}

static int shim_receive(void *memory, int64_t bytes) {
    return begun(zf_receive(endpoint, registration, (int64_t)(intptr_t)memory, bytes, 0), "zf_receive");
}

static int shim_write(void *memory, int64_t bytes, uint64_t remote_address, uint64_t key) {
    struct zf_rma rma = {.peer = other,
                         .registration = registration,
                         .address = (int64_t)(intptr_t)memory,
                         .bytes = bytes,
                         .remote_address = remote_address,
                         .remote_key = key};
    return begun(zf_write(endpoint, &rma), "zf_write");
}

static int shim_read(void *memory, int64_t bytes, uint64_t remote_address, uint64_t key) {
    struct zf_rma rma = {.peer = other,
                         .registration = registration,
                         .address = (int64_t)(intptr_t)memory,
                         .bytes = bytes,
                         .remote_address = remote_address,
                         .remote_key = key};
    return begun(zf_read(endpoint, &rma), "zf_read");
}

static void shim_poll(int64_t *transmitted, int64_t *received) {
    struct zf_completion completions[32];
    int32_t count = (int32_t)must(zf_poll(endpoint, completions, 32), "zf_poll");
    for (int32_t i = 0; i < count; i++) {
        (void)must(completions[i].status, "completion");
        *received += completions[i].kind == ZF_RECEIVED;
        *transmitted += completions[i].kind != ZF_RECEIVED;
    }
}

static void shim_close(void) {
    (void)must(zf_close(endpoint), "zf_close");
}

const struct way shim_way = {"shim",    shim_open,    shim_address, shim_peer, shim_lent,
                             shim_send, shim_receive, shim_write,   shim_read, shim_poll, shim_close};
