/* A way to send: libfabric itself, or the shim. The bench drives both through the same few functions. */
#ifndef ZIP_WAY_H
#define ZIP_WAY_H

#include <stdint.h>

#define WINDOW 16

struct way {
    const char *name;
    /* Opens an endpoint and lends `bytes` at `memory`; writes address and key for the other side. */
    void (*open)(const char *provider, void *memory, int64_t bytes);
    int32_t (*address)(uint8_t *out, int32_t bytes);
    void (*peer)(const uint8_t *address, int32_t bytes);
    void (*lent)(uint64_t *remote_address, uint64_t *key);
    /* Each begins one operation and returns 1, or 0 if it must be tried again. */
    int (*send)(void *memory, int64_t bytes);
    int (*receive)(void *memory, int64_t bytes);
    int (*write)(void *memory, int64_t bytes, uint64_t remote_address, uint64_t key);
    int (*read)(void *memory, int64_t bytes, uint64_t remote_address, uint64_t key);
    /* Polls once, and adds up what has completed. */
    void (*poll)(int64_t *transmitted, int64_t *received);
    void (*close)(void);
};

extern const struct way direct_way;
extern const struct way shim_way;

void bench_fail(const char *what, long long code);

#endif
