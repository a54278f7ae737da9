/*
 * What the files of the shim share. Nothing here is exported.
 *
 * An endpoint is one block of everything libfabric wants for it, with fixed tables made at open:
 * operations, registrations, peers. Whoever calls holds the endpoint alone, so none of it is locked;
 * only the table of endpoints is (shim_table.c).
 */
#ifndef ZIP_SHIM_H
#define ZIP_SHIM_H

#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zip_fabric.h"

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* The oldest libfabric whose behaviour the shim relies on. */
#define FABRIC_API FI_VERSION(1, 17)

#define ENDPOINTS_MAX 4096
#define DEPTH_MAX 65536
#define TABLE_MAX 65536
#define ADDRESS_BYTES_MAX 512
#define ERROR_TEXT_BYTES 320

/*
 * Handles:  serial (46 bits) | kind (1 bit) | index (16 bits).
 * Serials are unique in a process, over both kinds: comparing a handle with the one in its slot is
 * the whole check.
 */
#define HANDLE_INDEX_BITS 16
#define HANDLE_KIND_BIT (INT64_C(1) << HANDLE_INDEX_BITS)
#define HANDLE_SERIAL_SHIFT (HANDLE_INDEX_BITS + 1)
#define HANDLE_INDEX_MASK (HANDLE_KIND_BIT - 1)

enum handle_kind { HANDLE_ENDPOINT, HANDLE_REGISTRATION };

struct registration {
    int64_t handle; /* 0: free */
    int64_t address;
    int64_t bytes;
    struct fid_mr *mr;
    void *descriptor;
    int32_t access;
    int32_t uses; /* operations of ours in flight */
};

/* libfabric's scratch space comes first: the context it hands back is the operation. */
struct operation {
    struct fi_context2 scratch;
    uint64_t context;
    int64_t bytes;
    struct registration *registration; /* or NULL */
    int32_t kind;                      /* enum zf_kind; ZF_NO_OPERATION: free */
    int32_t next_free;                 /* index in the pool, or -1 */
};

/*
 * Transmits and receives have pools of their own: posted receives must not starve sends. What was free the longest
 * is taken first: shm at times completes an operation twice when a peer has died, and the second time should
 * find a free record and not another's.
 */
struct pool {
    struct operation *operations;
    int32_t first_free; /* -1: none */
    int32_t last_free;
    int32_t size;
    int32_t used;
};

struct peer {
    fi_addr_t address;
    int32_t generation;
    int32_t name_bytes; /* 0: free */
    uint8_t *name;
    int64_t local; /* shm: the peer's handle if it is an endpoint of this process, or else 0 */
};

struct endpoint {
    struct fid_ep *ep;
    struct fid_cq *cq;
    struct pool transmits;
    struct pool receives;
    struct peer *peers;
    struct registration *registrations;
    uint32_t has; /* enum zf_has */
    int32_t peers_max;
    int32_t registrations_max;
    int64_t message_bytes_max;
    int64_t inject_bytes_max;

    struct fid_fabric *fabric;
    struct fid_domain *domain;
    struct fid_av *av;
    struct fi_info *info;
    uint64_t next_key;
    int32_t peers_used;
    int32_t peers_touched; /* numbers at and above this have never been a peer */
    int32_t registrations_used;
    int32_t registrations_next; /* where to look for a free one first */
    int wait_fd;                /* -1: none */
    int64_t handle;
    /* shm: handles of the endpoints of this process that may touch this one's memory. Under the lock of the table. */
    int64_t *neighbours;
    int32_t neighbours_used;
    int32_t neighbours_room;
    struct endpoint *next_lingering; /* when closed */
    int32_t own_name_bytes;
    uint8_t own_name[ADDRESS_BYTES_MAX];
    char error_text[ERROR_TEXT_BYTES];
};

/* ---- shim_library.c: libfabric itself, looked up on first use. */

struct library {
    int (*getinfo)(uint32_t version, const char *node, const char *service, uint64_t flags, const struct fi_info *hints,
                   struct fi_info **info);
    void (*freeinfo)(struct fi_info *info);
    struct fi_info *(*dupinfo)(const struct fi_info *info);
    int (*fabric)(struct fi_fabric_attr *attr, struct fid_fabric **fabric, void *context);
    uint32_t (*version)(void);
    const char *(*strerror)(int code);
    char *(*tostr_r)(char *buffer, size_t bytes, const void *data, enum fi_type type);
};

/** The loaded library, or NULL if there is none. The caller holds the lock of shim_table.c. */
const struct library *library_get(void);

/** The loaded library, or NULL if it has not been loaded. Any thread. */
const struct library *library_peek(void);

/** Why it could not be loaded, or NULL if nobody tried or it could. Any thread. */
const char *library_problem(void);

/* ---- shim_signal.c: keeps signal handlers as the process had them. */

#define SIGNALS_KEPT 32

struct signals {
    struct sigaction actions[SIGNALS_KEPT];
    bool known[SIGNALS_KEPT];
};

void signals_save(struct signals *out);
void signals_restore(const struct signals *saved);

/* ---- shim_table.c: handles of endpoints, and the one lock. */

/* A handle of 0 is that of no endpoint, whatever the pointer says. */
struct slot {
    _Atomic(int64_t) handle;
    struct endpoint *endpoint;
};

extern struct slot endpoint_slots[ENDPOINTS_MAX];

void table_lock(void);
void table_unlock(void);
int64_t handle_new(enum handle_kind kind, int32_t index);
int64_t table_put(struct endpoint *endpoint);
struct endpoint *table_take(int64_t handle);

/** Handle of the open endpoint with this address, or 0. Under the lock. */
int64_t table_find(const uint8_t *name, int32_t bytes);

/* Its slot, or NULL if it is not open. The hot lookup: one load, one compare. */
static inline struct slot *slot_of(int64_t handle) {
    uint64_t index = (uint64_t)(handle & HANDLE_INDEX_MASK);
    if (UNLIKELY(handle <= 0 || index >= ENDPOINTS_MAX)) {
        return NULL;
    }
    struct slot *slot = &endpoint_slots[index];
    return LIKELY(atomic_load_explicit(&slot->handle, memory_order_acquire) == handle) ? slot : NULL;
}

static inline struct endpoint *endpoint_of(int64_t handle) {
    const struct slot *slot = slot_of(handle);
    return UNLIKELY(slot == NULL) ? NULL : slot->endpoint;
}

/** Whether it is, of an endpoint that another thread may be using. */
static inline bool is_open(int64_t handle) {
    return slot_of(handle) != NULL;
}

/** In a child of fork: the parent's endpoints are not the child's. */
void table_forget_all(void);

/* ---- shim_info.c: what can be opened. */

/** Hints for reliable datagrams with these capabilities, 0 for all; freed with library->freeinfo. NULL: no memory. */
struct fi_info *info_hints(const struct library *library, uint64_t capabilities);

/** Finds the first choice for these options. The caller frees it. */
int info_choose(const struct library *library, const struct zf_options *options, struct fi_info **out);

/** Whether this choice can complete writes on delivery. */
bool info_delivers(const struct library *library, const struct fi_info *info);

/** Copies a name that ends with a zero, cut to fit. */
void copy_name(char *out, size_t bytes, const char *name);

/* ---- shim_ep.c */

/** Closes what is open of an endpoint that may be half made, and frees it. */
void endpoint_destroy(struct endpoint *endpoint);

/* ---- shim_av.c */

struct peer *peer_of(struct endpoint *endpoint, int32_t number);

/** The peer if it can be sent to. Among endpoints of one process, shm would take messages for one that was closed. */
static inline const struct peer *live_peer_of(struct endpoint *endpoint, int32_t number) {
    const struct peer *peer = peer_of(endpoint, number);
    bool is_gone = peer != NULL && UNLIKELY(peer->local != 0) && !is_open(peer->local);
    return is_gone ? NULL : peer;
}

void peers_forget(struct endpoint *endpoint);

/* Numbers of peers: generation (15 bits) | index (16 bits). */
#define PEER_INDEX_BITS 16
#define PEER_INDEX_MASK ((1 << PEER_INDEX_BITS) - 1)
#define PEER_GENERATION_MASK 0x7fff

/* ---- shim_linger.c: closed endpoints of shm. All under the lock of the table. */

/** Only shm has addresses that are text. Needs no lock. */
bool is_shared_memory(const struct endpoint *endpoint);

/** The name of the file in an address of shm. Needs no lock. */
const char *shared_memory_name(const char *address);

/** Notes that the endpoint and its peer, a handle, may touch each other's memory. False: no memory. */
bool linger_note(struct endpoint *endpoint, int64_t peer);

/** Destroys an endpoint that was taken from the table, now or when nobody touches it any more. */
void linger_or_destroy(struct endpoint *endpoint);

/** Keeps an endpoint of tcp that cannot be closed, with its sockets and memory, until the process ends. */
void linger_for_ever(struct endpoint *endpoint);

/** In a child of fork. */
void linger_forget_all(void);

/* ---- shim_mr.c */

struct registration *registration_of(struct endpoint *endpoint, int64_t handle);
void registrations_close(struct endpoint *endpoint);

/* ---- shim_op.c */

int pool_make(struct pool *pool, int32_t size);
void pool_free(struct pool *pool);
void operation_release(struct endpoint *endpoint, struct operation *operation);

/** Cancels all posted receives. */
void operations_cancel(struct endpoint *endpoint);

/** Whether a read is in flight. */
bool operations_reading(const struct endpoint *endpoint);

/* ---- shim_cq.c */

/**
 * Before an endpoint is closed: brings it to a state in which its provider can close it. 20 ms at most.
 * @return false if that cannot be: it must be left as it is
 */
bool endpoint_settle(struct endpoint *endpoint);

/* ---- shim_error.c */

/** Copies a text with its zero as far as it fits. Returns the bytes of the whole. */
int32_t copy_text(const char *text, char *out, int32_t bytes);
/** Keeps what the provider says about a failed operation, for zf_last_error. */
void error_keep(struct endpoint *endpoint, const struct fi_cq_err_entry *error, int32_t status);

#endif
