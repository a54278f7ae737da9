/* Completions, and waiting for them. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "shim.h"

#define BATCH 32

/* How long closing waits for what has begun, and how many polls without a completion say that there is no more. */
#define SETTLE_NS INT64_C(20000000)
#define QUIET_POLLS 64

static int64_t now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void put(struct zf_completion *out, uint64_t context, int32_t kind, int64_t bytes) {
    memset(out, 0, sizeof *out);
    out->context = context;
    out->kind = kind;
    out->bytes = bytes;
}

/* Counts 1 if the entry is one of the caller's. */
static int32_t take_entry(struct endpoint *endpoint, const struct fi_cq_data_entry *entry, struct zf_completion *out) {
    if ((entry->flags & FI_REMOTE_WRITE) != 0) {
        put(out, 0, ZF_REMOTE_WRITTEN, (int64_t)entry->len);
        out->data = (uint32_t)entry->data;
        return 1;
    }
    struct operation *operation = entry->op_context;
    if (UNLIKELY(operation == NULL || operation->kind == ZF_NO_OPERATION)) {
        return 0;
    }
    /* Of what was sent, libfabric does not say how long it was. */
    int64_t bytes = operation->kind == ZF_RECEIVED ? (int64_t)entry->len : operation->bytes;
    put(out, operation->context, operation->kind, bytes);
    operation_release(endpoint, operation);
    return 1;
}

/* Most providers give a positive number, shm a negative one. */
static int32_t status_of(int code) {
    return code == 0 ? -FI_EOTHER : code > 0 ? -code : code;
}

/* Counts 1 if there was an error of the caller's, 0 if there was none; negative if the queue is unusable. */
static int32_t take_error(struct endpoint *endpoint, struct zf_completion *out) {
    struct fi_cq_err_entry error;
    memset(&error, 0, sizeof error);
    ssize_t result = fi_cq_readerr(endpoint->cq, &error, 0);
    if (result != 1) {
        return result == -FI_EAGAIN ? 0 : (int32_t)result;
    }
    struct operation *operation = error.op_context;
    int32_t status = status_of(error.err);
    error_keep(endpoint, &error, status);
    if (operation == NULL) {
        put(out, 0, ZF_NO_OPERATION, 0);
    } else if (operation->kind == ZF_NO_OPERATION) {
        return 0; /* it has completed before */
    } else {
        put(out, operation->context, operation->kind, operation->kind == ZF_RECEIVED ? (int64_t)error.len : 0);
        operation_release(endpoint, operation);
    }
    out->status = status;
    out->provider_error = error.prov_errno;
    return 1;
}

static inline int32_t poll_queue(struct endpoint *endpoint, struct zf_completion *out, int32_t max) {
    struct fi_cq_data_entry entries[BATCH];
    int32_t count = 0;
    while (count < max) {
        size_t room = max - count < BATCH ? (size_t)(max - count) : BATCH;
        ssize_t read = fi_cq_read(endpoint->cq, entries, room);
        if (LIKELY(read == -FI_EAGAIN)) {
            break;
        }
        if (UNLIKELY(read < 0)) {
            int32_t taken = read == -FI_EAVAIL ? take_error(endpoint, &out[count]) : (int32_t)read;
            if (taken <= 0) {
                /* What was taken before must not be lost: the next call says what is wrong. */
                return count > 0 ? count : taken;
            }
            count += taken;
            continue;
        }
        for (ssize_t i = 0; i < read; i++) {
            count += take_entry(endpoint, &entries[i], &out[count]);
        }
        if ((size_t)read < room) {
            break;
        }
    }
    return count;
}

int32_t zf_poll(int64_t handle, struct zf_completion *out, int32_t max) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (UNLIKELY(endpoint == NULL)) {
        return ZF_ESTALE;
    }
    if (UNLIKELY(out == NULL || max <= 0)) {
        return ZF_EARG;
    }
    return poll_queue(endpoint, out, max);
}

/*
 * ofi_rxm closes one connection after the other, and after each looks at what has completed. A long message that it finds
 * there it begins to fetch, or says that it has it, over the connection that it has just freed. So before it is
 * closed there must be no receive that such a message could fill, and nothing that has come in unseen.
 *
 * Over tcp it is told of a read whose request has not left yet without the read's record, and it dies of that; which
 * requests have left nobody says. So with a read in flight it must not be closed. Verbs hands the record back with
 * whatever fails, and there it must be closed: a card goes on writing what it reads until its queue is destroyed.
 */
bool endpoint_settle(struct endpoint *endpoint) {
    const char *provider = endpoint->info->fabric_attr->prov_name;
    if (strstr(provider, "ofi_rxm") == NULL) {
        return true;
    }
    operations_cancel(endpoint);
    struct zf_completion completions[BATCH];
    int64_t deadline_ns = now_ns() + SETTLE_NS;
    int quiet = 0;
    while ((endpoint->receives.used + endpoint->transmits.used > 0 || quiet < QUIET_POLLS) &&
           now_ns() < deadline_ns) {
        quiet = poll_queue(endpoint, completions, BATCH) == 0 ? quiet + 1 : 0;
    }
    return strstr(provider, "tcp") == NULL || !operations_reading(endpoint);
}

int32_t zf_wait(int64_t handle, int32_t timeout_ms) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint == NULL) {
        return ZF_ESTALE;
    }
    if (timeout_ms < -1) {
        return ZF_EARG;
    }
    if (endpoint->wait_fd < 0) {
        return ZF_ENOWAIT;
    }
    struct fid *queue = &endpoint->cq->fid;
    int result = fi_trywait(endpoint->fabric, &queue, 1);
    if (result == -FI_EAGAIN) {
        return 1;
    }
    if (result != 0) {
        return result;
    }
    struct pollfd descriptor = {.fd = endpoint->wait_fd, .events = POLLIN};
    int ready = poll(&descriptor, 1, timeout_ms);
    if (ready < 0) {
        return errno == EINTR ? 1 : -errno;
    }
    return ready;
}

int32_t zf_wait_fd(int64_t handle) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint == NULL) {
        return ZF_ESTALE;
    }
    return endpoint->wait_fd < 0 ? ZF_ENOWAIT : endpoint->wait_fd;
}
