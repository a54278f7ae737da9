/* Starting operations. Nothing here allocates or locks. */
#include <stdlib.h>

#include "shim.h"

int pool_make(struct pool *pool, int32_t size) {
    pool->operations = calloc((size_t)size, sizeof *pool->operations);
    if (pool->operations == NULL) {
        return -FI_ENOMEM;
    }
    for (int32_t i = 0; i < size; i++) {
        pool->operations[i].next_free = i + 1 < size ? i + 1 : -1;
    }
    pool->first_free = 0;
    pool->last_free = size - 1;
    pool->size = size;
    return 0;
}

void pool_free(struct pool *pool) {
    free(pool->operations);
}

/* NULL: full. */
static struct operation *take(struct pool *pool, int32_t kind, struct registration *registration, int64_t bytes,
                              uint64_t context) {
    if (UNLIKELY(pool->first_free < 0)) {
        return NULL;
    }
    struct operation *operation = &pool->operations[pool->first_free];
    pool->first_free = operation->next_free;
    pool->used++;
    operation->kind = kind;
    operation->bytes = bytes;
    operation->context = context;
    operation->registration = registration;
    if (registration != NULL) {
        registration->uses++;
    }
    return operation;
}

static void give_back(struct pool *pool, struct operation *operation) {
    if (operation->registration != NULL) {
        operation->registration->uses--;
    }
    operation->kind = ZF_NO_OPERATION;
    operation->next_free = -1;
    int32_t index = (int32_t)(operation - pool->operations);
    if (pool->first_free < 0) {
        pool->first_free = index;
    } else {
        pool->operations[pool->last_free].next_free = index;
    }
    pool->last_free = index;
    pool->used--;
}

void operation_release(struct endpoint *endpoint, struct operation *operation) {
    give_back(operation->kind == ZF_RECEIVED ? &endpoint->receives : &endpoint->transmits, operation);
}

/* Started, or back in the pool with libfabric's reason. */
static inline int32_t started(struct pool *pool, struct operation *operation, ssize_t result) {
    if (UNLIKELY(result != 0)) {
        give_back(pool, operation);
    }
    return (int32_t)result;
}

/* Where an operation's bytes are: checked against the registration if there is one. */
struct local {
    struct registration *registration;
    void *address;
    void *descriptor;
    size_t bytes;
};

/* libfabric wants an address even of nothing. */
static uint8_t nothing;

static int32_t check_memory(const struct endpoint *endpoint, int64_t address, int64_t bytes) {
    if (UNLIKELY(bytes < 0 || bytes > endpoint->message_bytes_max)) {
        return ZF_EARG;
    }
    bool is_there = address > 0 ? address <= INT64_MAX - bytes : address == 0 && bytes == 0;
    return is_there ? 0 : ZF_EARG;
}

static int32_t find_local(struct endpoint *endpoint, int64_t handle, int64_t address, int64_t bytes, int32_t access,
                          struct local *out) {
    int32_t result = check_memory(endpoint, address, bytes);
    if (UNLIKELY(result != 0)) {
        return result;
    }
    out->registration = NULL;
    out->descriptor = NULL;
    out->address = address == 0 ? &nothing : (void *)(intptr_t)address;
    out->bytes = (size_t)bytes;
    if (handle == 0) {
        bool needed = (endpoint->has & ZF_NEEDS_LOCAL_REGISTRATION) != 0 && bytes > 0;
        return needed ? ZF_EACCESS : 0;
    }
    struct registration *registration = registration_of(endpoint, handle);
    if (UNLIKELY(registration == NULL)) {
        return ZF_ESTALE;
    }
    if (UNLIKELY((registration->access & access) == 0)) {
        return ZF_EACCESS;
    }
    if (UNLIKELY(bytes > 0 && (address < registration->address || bytes > registration->bytes ||
                               address - registration->address > registration->bytes - bytes))) {
        return ZF_EARG;
    }
    out->registration = registration;
    out->descriptor = registration->descriptor;
    return 0;
}

int32_t zf_send(int64_t handle, int32_t peer_number, int64_t registration, int64_t address, int64_t bytes,
                uint64_t context) {
    struct endpoint *endpoint = endpoint_of(handle);
    const struct peer *peer = endpoint == NULL ? NULL : live_peer_of(endpoint, peer_number);
    if (UNLIKELY(peer == NULL)) {
        return ZF_ESTALE;
    }
    struct local local;
    int32_t result = find_local(endpoint, registration, address, bytes, ZF_SEND, &local);
    if (UNLIKELY(result != 0)) {
        return result;
    }
    struct operation *operation = take(&endpoint->transmits, ZF_SENT, local.registration, bytes, context);
    if (UNLIKELY(operation == NULL)) {
        return -FI_EAGAIN;
    }
    return started(&endpoint->transmits, operation,
                   fi_send(endpoint->ep, local.address, local.bytes, local.descriptor, peer->address, operation));
}

int32_t zf_send_from(int64_t handle, const struct zf_rma *message) {
    if (UNLIKELY(message == NULL || message->flags != 0 || message->remote_address != 0 || message->remote_key != 0 ||
                 message->data != 0 || message->reserved != 0)) {
        return ZF_EARG;
    }
    return zf_send(handle, message->peer, message->registration, message->address, message->bytes, message->context);
}

int32_t zf_inject(int64_t handle, int32_t peer_number, int64_t address, int64_t bytes) {
    struct endpoint *endpoint = endpoint_of(handle);
    const struct peer *peer = endpoint == NULL ? NULL : live_peer_of(endpoint, peer_number);
    if (UNLIKELY(peer == NULL)) {
        return ZF_ESTALE;
    }
    if (UNLIKELY(check_memory(endpoint, address, bytes) != 0 || bytes > endpoint->inject_bytes_max)) {
        return ZF_EARG;
    }
    const void *memory = address == 0 ? &nothing : (const void *)(intptr_t)address;
    return (int32_t)fi_inject(endpoint->ep, memory, (size_t)bytes, peer->address);
}

int32_t zf_receive(int64_t handle, int64_t registration, int64_t address, int64_t bytes, uint64_t context) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (UNLIKELY(endpoint == NULL)) {
        return ZF_ESTALE;
    }
    struct local local;
    int32_t result = find_local(endpoint, registration, address, bytes, ZF_RECEIVE, &local);
    if (UNLIKELY(result != 0)) {
        return result;
    }
    struct operation *operation = take(&endpoint->receives, ZF_RECEIVED, local.registration, bytes, context);
    if (UNLIKELY(operation == NULL)) {
        return -FI_EAGAIN;
    }
    return started(&endpoint->receives, operation,
                   fi_recv(endpoint->ep, local.address, local.bytes, local.descriptor, FI_ADDR_UNSPEC, operation));
}

/* ---- Remote memory. */

static int32_t check_rma(const struct endpoint *endpoint, const struct zf_rma *rma, uint32_t allowed) {
    if ((endpoint->has & ZF_HAS_RMA) == 0) {
        return ZF_ENORMA;
    }
    if ((rma->flags & ~allowed) != 0 || rma->reserved != 0) {
        return ZF_EARG;
    }
    if ((rma->flags & ZF_RMA_NOTIFY) != 0 && (endpoint->has & ZF_HAS_NOTIFY) == 0) {
        return ZF_ENONOTIFY;
    }
    if ((rma->flags & ZF_RMA_DELIVERED) != 0 && (endpoint->has & ZF_HAS_DELIVERY_COMPLETE) == 0) {
        return ZF_ENODELIVERY;
    }
    return 0;
}

/* What zf_write and zf_read have in common: everything up to the call of libfabric. */
struct remote_operation {
    struct endpoint *endpoint;
    const struct peer *peer;
    struct local local;
    struct operation *operation;
};

static int32_t prepare(int64_t handle, const struct zf_rma *rma, uint32_t flags, int32_t access, int32_t kind,
                       struct remote_operation *out) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (UNLIKELY(endpoint == NULL)) {
        return ZF_ESTALE;
    }
    if (UNLIKELY(rma == NULL)) {
        return ZF_EARG;
    }
    int32_t result = check_rma(endpoint, rma, flags);
    if (UNLIKELY(result != 0)) {
        return result;
    }
    out->endpoint = endpoint;
    out->peer = live_peer_of(endpoint, rma->peer);
    if (UNLIKELY(out->peer == NULL)) {
        return ZF_ESTALE;
    }
    result = find_local(endpoint, rma->registration, rma->address, rma->bytes, access, &out->local);
    if (UNLIKELY(result != 0)) {
        return result;
    }
    out->operation = take(&endpoint->transmits, kind, out->local.registration, rma->bytes, rma->context);
    return out->operation == NULL ? -FI_EAGAIN : 0;
}

static ssize_t write_delivered(const struct remote_operation *remote, const struct zf_rma *rma) {
    struct iovec memory = {.iov_base = remote->local.address, .iov_len = remote->local.bytes};
    void *descriptor = remote->local.descriptor;
    struct fi_rma_iov target = {.addr = rma->remote_address, .len = remote->local.bytes, .key = rma->remote_key};
    struct fi_msg_rma message = {
        .msg_iov = &memory,
        .desc = &descriptor,
        .iov_count = 1,
        .addr = remote->peer->address,
        .rma_iov = &target,
        .rma_iov_count = 1,
        .context = remote->operation,
        .data = rma->data,
    };
    uint64_t notify = (rma->flags & ZF_RMA_NOTIFY) != 0 ? FI_REMOTE_CQ_DATA : 0;
    return fi_writemsg(remote->endpoint->ep, &message, FI_COMPLETION | FI_DELIVERY_COMPLETE | notify);
}

int32_t zf_write(int64_t handle, const struct zf_rma *rma) {
    struct remote_operation remote;
    int32_t result = prepare(handle, rma, ZF_RMA_NOTIFY | ZF_RMA_DELIVERED, ZF_WRITE, ZF_WRITTEN, &remote);
    if (UNLIKELY(result != 0)) {
        return result;
    }
    const struct local *local = &remote.local;
    ssize_t wrote;
    if ((rma->flags & ZF_RMA_DELIVERED) != 0) {
        wrote = write_delivered(&remote, rma);
    } else if ((rma->flags & ZF_RMA_NOTIFY) != 0) {
        wrote = fi_writedata(remote.endpoint->ep, local->address, local->bytes, local->descriptor, rma->data,
                             remote.peer->address, rma->remote_address, rma->remote_key, remote.operation);
    } else {
        wrote = fi_write(remote.endpoint->ep, local->address, local->bytes, local->descriptor, remote.peer->address,
                         rma->remote_address, rma->remote_key, remote.operation);
    }
    return started(&remote.endpoint->transmits, remote.operation, wrote);
}

int32_t zf_read(int64_t handle, const struct zf_rma *rma) {
    struct remote_operation remote;
    int32_t result = prepare(handle, rma, 0, ZF_READ, ZF_HAVE_READ, &remote);
    if (UNLIKELY(result != 0)) {
        return result;
    }
    const struct local *local = &remote.local;
    ssize_t read = fi_read(remote.endpoint->ep, local->address, local->bytes, local->descriptor, remote.peer->address,
                           rma->remote_address, rma->remote_key, remote.operation);
    return started(&remote.endpoint->transmits, remote.operation, read);
}

/* A walk over all posted receives: cancelling is rare, and an index would cost every receive. */
int32_t zf_cancel(int64_t handle, uint64_t context) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint == NULL) {
        return ZF_ESTALE;
    }
    struct pool *pool = &endpoint->receives;
    for (int32_t i = 0; i < pool->size; i++) {
        struct operation *operation = &pool->operations[i];
        if (operation->kind == ZF_RECEIVED && operation->context == context) {
            ssize_t result = fi_cancel(&endpoint->ep->fid, operation);
            return result > 0 ? 0 : (int32_t)result;
        }
    }
    return -FI_ENOENT;
}

void operations_cancel(struct endpoint *endpoint) {
    for (int32_t i = 0; i < endpoint->receives.size; i++) {
        struct operation *operation = &endpoint->receives.operations[i];
        if (operation->kind == ZF_RECEIVED) {
            (void)fi_cancel(&endpoint->ep->fid, operation);
        }
    }
}

bool operations_reading(const struct endpoint *endpoint) {
    for (int32_t i = 0; i < endpoint->transmits.size; i++) {
        if (endpoint->transmits.operations[i].kind == ZF_HAVE_READ) {
            return true;
        }
    }
    return false;
}
