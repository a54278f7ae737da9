/*
 * The table of endpoints, and the lock that opening, closing and listing take. Operations take none:
 * they read one slot, whose handle is written last when it is filled and first when it is emptied.
 */
#include <pthread.h>
#include <string.h>

#include "shim.h"

struct slot endpoint_slots[ENDPOINTS_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(int64_t) last_serial;
static _Atomic(int32_t) open_endpoints;
static int32_t search_from; /* under the lock */

void table_lock(void) {
    (void)pthread_mutex_lock(&lock);
}

void table_unlock(void) {
    (void)pthread_mutex_unlock(&lock);
}

int64_t handle_new(enum handle_kind kind, int32_t index) {
    int64_t serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
    int64_t kind_bit = kind == HANDLE_REGISTRATION ? HANDLE_KIND_BIT : 0;
    return (serial << HANDLE_SERIAL_SHIFT) | kind_bit | index;
}

/* Under the lock. */
int64_t table_put(struct endpoint *endpoint) {
    for (int32_t tried = 0; tried < ENDPOINTS_MAX; tried++) {
        int32_t index = (search_from + tried) % ENDPOINTS_MAX;
        struct slot *slot = &endpoint_slots[index];
        if (atomic_load_explicit(&slot->handle, memory_order_relaxed) != 0) {
            continue;
        }
        int64_t handle = handle_new(HANDLE_ENDPOINT, index);
        endpoint->handle = handle;
        slot->endpoint = endpoint;
        atomic_store_explicit(&slot->handle, handle, memory_order_release);
        atomic_fetch_add_explicit(&open_endpoints, 1, memory_order_relaxed);
        search_from = (index + 1) % ENDPOINTS_MAX;
        return handle;
    }
    return ZF_ELIMIT;
}

/* Under the lock. NULL: stale. */
struct endpoint *table_take(int64_t handle) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint != NULL) {
        struct slot *slot = &endpoint_slots[handle & HANDLE_INDEX_MASK];
        atomic_store_explicit(&slot->handle, 0, memory_order_release);
        slot->endpoint = NULL;
        atomic_fetch_sub_explicit(&open_endpoints, 1, memory_order_relaxed);
    }
    return endpoint;
}

int64_t table_find(const uint8_t *name, int32_t bytes) {
    for (int32_t index = 0; index < ENDPOINTS_MAX; index++) {
        const struct slot *slot = &endpoint_slots[index];
        int64_t handle = atomic_load_explicit(&slot->handle, memory_order_relaxed);
        if (handle != 0 && slot->endpoint->own_name_bytes == bytes &&
            memcmp(slot->endpoint->own_name, name, (size_t)bytes) == 0) {
            return handle;
        }
    }
    return 0;
}

/* The pointers stay, so that the copies of the parent's memory are still reachable: nothing may free them. */
void table_forget_all(void) {
    (void)pthread_mutex_init(&lock, NULL);
    for (int32_t index = 0; index < ENDPOINTS_MAX; index++) {
        atomic_store_explicit(&endpoint_slots[index].handle, 0, memory_order_relaxed);
    }
    atomic_store_explicit(&open_endpoints, 0, memory_order_relaxed);
    linger_forget_all();
}

int32_t zf_open_endpoints(void) {
    return atomic_load_explicit(&open_endpoints, memory_order_relaxed);
}
