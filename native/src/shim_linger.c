/*
 * Endpoints of shm that are closed, but whose memory others of the same process may still touch.
 *
 * In one process libfabric maps the memory of an endpoint once, for its owner and all its peers, and unmaps it
 * when the owner closes: a peer that has a message of the closed one in its queue, or is sending to it on another
 * thread, would then die of a fault. So a closed endpoint is nobody's any more, but stays mapped until all
 * that were peers of it, either way, are closed too. Peers in other processes have mappings of their own.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shim.h"

#define FOR_EVER (-1)

static struct endpoint *lingering; /* under the lock of the table */

bool is_shared_memory(const struct endpoint *endpoint) {
    return endpoint->info->addr_format == FI_ADDR_STR;
}

const char *shared_memory_name(const char *address) {
    const char *behind_prefix = strstr(address, "://");
    return behind_prefix == NULL ? address : behind_prefix + 3;
}

/* Room for one more, after those that are closed were dropped: they touch nothing. */
static bool make_room(struct endpoint *endpoint) {
    int32_t kept = 0;
    for (int32_t i = 0; i < endpoint->neighbours_used; i++) {
        if (is_open(endpoint->neighbours[i])) {
            endpoint->neighbours[kept++] = endpoint->neighbours[i];
        }
    }
    endpoint->neighbours_used = kept;
    if (kept < endpoint->neighbours_room) {
        return true;
    }
    int32_t room = kept == 0 ? 4 : 2 * kept;
    int64_t *grown = realloc(endpoint->neighbours, (size_t)room * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    endpoint->neighbours = grown;
    endpoint->neighbours_room = room;
    return true;
}

static void add(struct endpoint *endpoint, int64_t handle) {
    for (int32_t i = 0; i < endpoint->neighbours_used; i++) {
        if (endpoint->neighbours[i] == handle) {
            return;
        }
    }
    endpoint->neighbours[endpoint->neighbours_used++] = handle;
}

bool linger_note(struct endpoint *endpoint, int64_t peer) {
    struct endpoint *other = endpoint_of(peer);
    if (other == NULL || other == endpoint) {
        return true;
    }
    if (!make_room(endpoint) || !make_room(other)) {
        return false;
    }
    add(endpoint, peer);
    add(other, endpoint->handle);
    return true;
}

static bool is_touched(const struct endpoint *endpoint) {
    if (endpoint->neighbours_used == FOR_EVER) {
        return true;
    }
    for (int32_t i = 0; i < endpoint->neighbours_used; i++) {
        if (is_open(endpoint->neighbours[i])) {
            return true;
        }
    }
    return false;
}

static void destroy_untouched(void) {
    struct endpoint **link = &lingering;
    while (*link != NULL) {
        struct endpoint *endpoint = *link;
        if (is_touched(endpoint)) {
            link = &endpoint->next_lingering;
        } else {
            *link = endpoint->next_lingering;
            endpoint_destroy(endpoint);
        }
    }
}

void linger_or_destroy(struct endpoint *endpoint) {
    if (is_touched(endpoint)) {
        registrations_close(endpoint);
        /* Whoever looks for it from now on finds nobody. */
        (void)shm_unlink(shared_memory_name((const char *)endpoint->own_name));
        endpoint->next_lingering = lingering;
        lingering = endpoint;
    } else {
        endpoint_destroy(endpoint);
    }
    destroy_untouched();
}

/*
 * For tcp only, where bytes move in calls of libfabric's and nowhere else: nobody polls it any more, so that the memory of
 * its operations is the caller's.
 */
void linger_for_ever(struct endpoint *endpoint) {
    endpoint->neighbours_used = FOR_EVER;
    endpoint->next_lingering = lingering;
    lingering = endpoint;
}

/* The copies of the parent's memory are not the child's to close. */
void linger_forget_all(void) {
    for (struct endpoint *endpoint = lingering; endpoint != NULL; endpoint = endpoint->next_lingering) {
        endpoint->neighbours_used = FOR_EVER;
    }
}
