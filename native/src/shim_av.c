/*
 * Peers. Their addresses are kept here too: shm lets go of a peer the first time it is removed, however
 * often it was added, so the same address must not be added to libfabric twice.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim.h"

int32_t zf_address(int64_t handle, uint8_t *out, int32_t bytes) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint == NULL) {
        return ZF_ESTALE;
    }
    if (bytes < 0 || (out == NULL && bytes > 0)) {
        return ZF_EARG;
    }
    if (endpoint->own_name_bytes <= bytes) {
        memcpy(out, endpoint->own_name, (size_t)endpoint->own_name_bytes);
    }
    return endpoint->own_name_bytes;
}

struct peer *peer_of(struct endpoint *endpoint, int32_t number) {
    int32_t index = number & PEER_INDEX_MASK;
    if (number < 0 || index >= endpoint->peers_max) {
        return NULL;
    }
    struct peer *peer = &endpoint->peers[index];
    return peer->name_bytes != 0 && peer->generation == number >> PEER_INDEX_BITS ? peer : NULL;
}

static int32_t number_of(const struct peer *peer, int32_t index) {
    return (peer->generation << PEER_INDEX_BITS) | index;
}

/* A peer of this address, or else a free entry, or else -1. */
static int32_t find(const struct endpoint *endpoint, const uint8_t *address, int32_t bytes, bool *known) {
    int32_t free_index = endpoint->peers_touched < endpoint->peers_max ? endpoint->peers_touched : -1;
    *known = false;
    for (int32_t i = 0; i < endpoint->peers_touched; i++) {
        const struct peer *peer = &endpoint->peers[i];
        if (peer->name_bytes == 0) {
            free_index = i;
        } else if (peer->name_bytes == bytes && memcmp(peer->name, address, (size_t)bytes) == 0) {
            *known = true;
            return i;
        }
    }
    return free_index;
}

/*
 * libfabric reads as many bytes as the format has, whatever the caller brought: an address that
 * is no text that ends, or is not as long as a socket's, never gets there.
 */
static bool well_formed(const struct endpoint *endpoint, const uint8_t *address, int32_t bytes) {
    if (address == NULL || bytes <= 0 || bytes > ADDRESS_BYTES_MAX) {
        return false;
    }
    if (is_shared_memory(endpoint)) {
        return memchr(address, '\0', (size_t)bytes) == address + bytes - 1 && bytes > 1;
    }
    return bytes == endpoint->own_name_bytes;
}

/*
 * shm remembers the endpoints of its own process by name, also when they are closed, and dies of one: a name without
 * its file is that of nobody.
 */
static bool is_gone(const uint8_t *address) {
    int file = shm_open(shared_memory_name((const char *)address), O_RDWR | O_CLOEXEC, 0);
    if (file >= 0) {
        (void)close(file);
    }
    return file < 0;
}

static int32_t insert(struct endpoint *endpoint, struct peer *peer, const uint8_t *address, int32_t bytes) {
    uint8_t *name = malloc((size_t)bytes);
    if (name == NULL) {
        return -FI_ENOMEM;
    }
    memcpy(name, address, (size_t)bytes);
    fi_addr_t inserted = FI_ADDR_NOTAVAIL;
    int result = fi_av_insert(endpoint->av, name, 1, &inserted, 0, NULL);
    if (result != 1) {
        free(name);
        return result < 0 ? result : -FI_EINVAL;
    }
    peer->address = inserted;
    peer->name = name;
    peer->name_bytes = bytes;
    return 0;
}

/* Under the lock, so that no peer of this process closes between being found and being noted. */
static int32_t insert_shared(struct endpoint *endpoint, struct peer *peer, const uint8_t *address, int32_t bytes) {
    if (is_gone(address)) {
        return -FI_ENOENT;
    }
    int64_t local = table_find(address, bytes);
    if (!linger_note(endpoint, local)) {
        return -FI_ENOMEM;
    }
    int32_t result = insert(endpoint, peer, address, bytes);
    peer->local = result == 0 ? local : 0;
    return result;
}

int32_t zf_peer_add(int64_t handle, const uint8_t *address, int32_t bytes) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint == NULL) {
        return ZF_ESTALE;
    }
    if (!well_formed(endpoint, address, bytes)) {
        return ZF_EARG;
    }
    bool known;
    int32_t index = find(endpoint, address, bytes, &known);
    if (index < 0) {
        return ZF_ELIMIT;
    }
    struct peer *peer = &endpoint->peers[index];
    if (known) {
        return number_of(peer, index);
    }
    int32_t result;
    if (is_shared_memory(endpoint)) {
        table_lock();
        result = insert_shared(endpoint, peer, address, bytes);
        table_unlock();
    } else {
        result = insert(endpoint, peer, address, bytes);
    }
    if (result != 0) {
        return result;
    }
    endpoint->peers_used++;
    if (index == endpoint->peers_touched) {
        endpoint->peers_touched++;
    }
    return number_of(peer, index);
}

static void forget(struct peer *peer) {
    free(peer->name);
    peer->name = NULL;
    peer->name_bytes = 0;
    peer->local = 0;
    peer->generation = (peer->generation + 1) & PEER_GENERATION_MASK;
}

int32_t zf_peer_remove(int64_t handle, int32_t number) {
    struct endpoint *endpoint = endpoint_of(handle);
    struct peer *peer = endpoint == NULL ? NULL : peer_of(endpoint, number);
    if (peer == NULL) {
        return ZF_ESTALE;
    }
    int result = fi_av_remove(endpoint->av, &peer->address, 1, 0);
    if (result != 0) {
        return result;
    }
    forget(peer);
    endpoint->peers_used--;
    return 0;
}

void peers_forget(struct endpoint *endpoint) {
    for (int32_t i = 0; i < endpoint->peers_touched; i++) {
        free(endpoint->peers[i].name);
    }
}
