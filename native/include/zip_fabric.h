/*
 * zip_fabric: a flat C interface to libfabric's reliable datagrams and remote memory access.
 *
 * libfabric's data calls are inline functions over tables of pointers, which a foreign function
 * interface cannot bind. Here they are plain exported functions over fixed-width integers.
 *
 * Results. Every function returns 0, a count or a handle (never negative) when it worked, and a
 * negative code when not: libfabric's own codes as they are (-FI_EAGAIN is -11), or one of
 * enum zf_code, all below -10000. Arguments are checked before libfabric sees them.
 *
 * Handles. Endpoints and registrations are numbers that are never used twice in the life of a
 * process, and peers are numbers whose generation is checked. What was closed answers ZF_ESTALE. In a child of fork
 * there are no endpoints: those of its parent answer ZF_ESTALE, and it may open its own.
 *
 * Threads. One thread at a time uses an endpoint, not always the same one: the caller orders them.
 * zf_open, zf_close and zf_list may run on any number of threads at once, of different endpoints.
 * zf_version, zf_library_version, zf_describe_error and zf_open_endpoints may run at any time.
 *
 * Progress. Nothing moves unless the owner of an endpoint calls zf_poll: sends, connections and what
 * peers read or write here. A peer that waits for an endpoint nobody polls waits for ever.
 *
 * Memory. Nothing that is allocated here is ever the caller's to free. Addresses are those of the
 * caller's memory, as integers. Between a call that starts an operation and its completion the memory
 * belongs to the operation, and it must not be freed or unmapped before.
 *
 * Operations. Each zf_send, zf_receive, zf_read or zf_write that returned 0 yields exactly one
 * completion in zf_poll, also when it fails or is cancelled by zf_cancel; zf_inject yields none.
 * zf_close ends operations without completions; their memory is free when it returns. Messages fill posted
 * receives in the order they were sent, but completions may come in another: a long message's after that of
 * a short one behind it. With a peer that died, some providers (shm, and others for posted receives) leave operations
 * without a completion until zf_close. libfabric 1.17 has faults here that no caller can catch: README.md names them.
 *
 * Signals and loading. Loading this library does nothing: libfabric is looked up by the first call
 * that needs it. Some of what it brings replaces the handlers of SIGSEGV, SIGBUS and others, which a
 * JVM cannot bear; they are put back before the call returns. See README.md.
 */
#ifndef ZIP_FABRIC_H
#define ZIP_FABRIC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZF_API __attribute__((visibility("default")))

/** What zf_version answers. Grows with every change that old callers would notice. */
#define ZF_ABI_VERSION 1

#define ZF_NAME_BYTES 64
#define ZF_NODE_BYTES 256

/** Our own codes. Everything between them and 0 is libfabric's. */
enum zf_code {
    ZF_ESTALE = -10001,    /* handle or peer that was closed, never existed, or is of another kind or endpoint */
    ZF_EARG = -10002,      /* argument that can never be right: null, negative, too long, outside its registration */
    ZF_ENOWAIT = -10003,   /* the endpoint has no wait object: poll instead */
    ZF_ENONOTIFY = -10004, /* the provider cannot notify of writes, or was not asked to: write, then send */
    ZF_ENORMA = -10005,    /* the endpoint was opened without remote memory access */
    ZF_EACCESS = -10006,   /* the registration was not made for this use, or is missing though the provider needs one */
    ZF_ELIMIT = -10007,    /* a table is full: endpoints, registrations or peers */
    ZF_EVERSION = -10008,  /* the struct's first field names a size this library does not know */
    ZF_ELIBRARY = -10009,  /* libfabric is not installed, or older than what this library needs */
    ZF_ENODELIVERY = -10010 /* the provider cannot complete on delivery */
};

/* ---- Library -------------------------------------------------------------------------------- */

/** The version of this interface, ZF_ABI_VERSION. */
ZF_API int32_t zf_version(void);

/** Version of libfabric, major << 16 | minor, or ZF_ELIBRARY. Loads it. */
ZF_API int32_t zf_library_version(void);

/**
 * Describes a code. Writes at most {@code bytes}, with a zero at the end.
 * @return bytes of the whole text with its zero, or ZF_EARG
 */
ZF_API int32_t zf_describe_error(int32_t code, char *out, int32_t bytes);

/**
 * Lists what could be opened here: one choice a line, fields separated by tabs:
 * provider, fabric, domain, address format, own address, longest message, inject size, capabilities.
 * Capabilities are words separated by commas: msg, rma, rma-event, cq-data, delivery-complete,
 * local-registration, virtual-address, provider-key, endpoint-registration, local, remote.
 * Whether there is a wait object is known only of an open endpoint: see zf_facts.
 *
 * @param provider as libfabric writes it ("shm", "tcp;ofi_rxm"); empty or null for all
 * @param node     address to bind, or null
 * @return bytes of the whole list with its zero; what does not fit in {@code bytes} is left out
 */
ZF_API int32_t zf_list(const char *provider, const char *node, char *out, int32_t bytes);

/** Endpoints open in this process. */
ZF_API int32_t zf_open_endpoints(void);

/* ---- Endpoints ------------------------------------------------------------------------------ */

enum zf_want {
    ZF_WANT_RMA = 1,    /* opening fails without */
    ZF_WANT_NOTIFY = 2, /* if there is: see ZF_HAS_NOTIFY */
    ZF_WANT_WAIT = 4    /* if there is: see ZF_HAS_WAIT. Costs a provider's thread or two with some. */
};

/* 496 bytes. Names end with a zero; an empty one leaves the choice to libfabric. */
struct zf_options {
    int32_t bytes;              /* sizeof(struct zf_options) */
    uint32_t wants;             /* enum zf_want */
    int32_t transmit_depth;     /* sends, writes and reads in flight; 0 for 256, at most 65536 */
    int32_t receive_depth;      /* posted receives; 0 for 256, at most 65536 */
    int32_t notification_depth; /* notifications that wait for a poll; 0 for 256, at most 65536 */
    int32_t peers_max;          /* 0 for 1024, at most 65536 */
    int32_t registrations_max;  /* 0 for 1024, at most 65536 */
    int32_t reserved;           /* 0 */
    int64_t inject_bytes_min;   /* opening fails if the provider injects less; 0 for any */
    int64_t buffered_bytes;     /* what the provider may hold of messages that wait for a receive; 0: it chooses */
    char provider[ZF_NAME_BYTES];
    char domain[ZF_NAME_BYTES];
    char fabric[ZF_NAME_BYTES];
    char node[ZF_NODE_BYTES]; /* address or host name to bind; shm: a name nobody else has, empty for a random one */
};

/**
 * Opens an endpoint: fabric, domain, addresses, one completion queue. Sends from one endpoint to
 * another arrive in order. May block for some 200 ms the first time in a process, while libfabric
 * looks for devices.
 *
 * @return handle, above 0
 */
ZF_API int64_t zf_open(const struct zf_options *options);

/* Closed for its owner, but not for libfabric. */
enum zf_closed { ZF_STAYS = 1 };

/**
 * Closes an endpoint with its registrations, peers and operations, in whatever state they are.
 * Operations in flight yield no completion; some 20 ms are spent on them at most. What was being sent may arrive or not;
 * over shm a message of more than 4 KiB may arrive with what its memory holds by then. What libfabric cannot close
 * without dying of it stays, out of reach, until the process ends: tcp;ofi_rxm only, whose bytes nothing moves any more then.
 * README.md says when. So nothing here touches the caller's memory when it returns, whatever the answer.
 *
 * @return 0, or ZF_STAYS if that is so
 */
ZF_API int32_t zf_close(int64_t endpoint);

enum zf_has {
    ZF_HAS_RMA = 1,
    ZF_HAS_NOTIFY = 2,              /* zf_write may tell the target; only if it was wanted */
    ZF_HAS_WAIT = 4,                /* zf_wait and zf_wait_fd work */
    ZF_HAS_DELIVERY_COMPLETE = 8,   /* ZF_RMA_DELIVERED works */
    ZF_NEEDS_LOCAL_REGISTRATION = 16, /* sends, receives, reads and writes need a registration of their local memory */
    ZF_NEEDS_VIRTUAL_ADDRESS = 32,  /* remote addresses are the target's own; otherwise offsets from 0 */
    ZF_CHOOSES_KEYS = 64,           /* the provider chooses keys; otherwise a counter of the endpoint does */
    ZF_BINDS_REGISTRATIONS = 128,   /* registrations belong to the endpoint, not to its domain */
    ZF_NEEDS_ALLOCATED = 256     /* memory must have pages behind it when it is registered */
};

/* 336 bytes. */
struct zf_facts {
    int32_t bytes;  /* set by the caller: sizeof(struct zf_facts) */
    uint32_t has;   /* enum zf_has */
    int64_t message_bytes_max;
    int64_t inject_bytes_max;
    uint64_t capabilities;  /* libfabric's FI_ bits */
    uint64_t registration_mode; /* libfabric's FI_MR_ bits */
    int32_t transmit_depth;
    int32_t receive_depth;
    int32_t address_bytes;
    int32_t address_format; /* libfabric's FI_ADDR_ or FI_SOCKADDR numbers */
    char provider[ZF_NAME_BYTES];
    char domain[ZF_NAME_BYTES];
    char fabric[ZF_NAME_BYTES];
    int32_t peers_max; /* perhaps less than asked for */
    int32_t registrations_max;
    char reserved[80]; /* 0 */
};

ZF_API int32_t zf_facts(int64_t endpoint, struct zf_facts *out);

/* 24 bytes. */
struct zf_counts {
    int32_t bytes; /* set by the caller: sizeof(struct zf_counts) */
    int32_t transmits; /* sends, writes and reads in flight */
    int32_t receives;  /* posted and not completed */
    int32_t registrations;
    int32_t peers;
    int32_t reserved;
};

ZF_API int32_t zf_counts(int64_t endpoint, struct zf_counts *out);

/**
 * The provider's own words about the last operation of this endpoint that failed; empty if none did.
 * @return as zf_describe_error
 */
ZF_API int32_t zf_last_error(int64_t endpoint, char *out, int32_t bytes);

/* ---- Peers ---------------------------------------------------------------------------------- */

/**
 * The endpoint's address, for zf_peer_add elsewhere. Peers must use the same provider.
 * @return bytes of the address; nothing is written if there is less room
 */
ZF_API int32_t zf_address(int64_t endpoint, uint8_t *out, int32_t bytes);

/**
 * Makes a peer of an address. No connection is made before the first operation, and nobody may be there:
 * tcp then answers operations with -FI_EAGAIN for ever, so that a deadline is the caller's; shm answers here, with
 * -FI_ENOENT (-2). An address that is a peer already gives the same number again.
 * @return number of the peer, 0 or above
 */
ZF_API int32_t zf_peer_add(int64_t endpoint, const uint8_t *address, int32_t bytes);

/** Forgets a peer. Operations with it should have completed: some providers fail them, some never complete them. */
ZF_API int32_t zf_peer_remove(int64_t endpoint, int32_t peer);

/* ---- Memory --------------------------------------------------------------------------------- */

enum zf_access {
    ZF_SEND = 1,
    ZF_RECEIVE = 2,
    ZF_READ = 4,          /* is the local memory of zf_read */
    ZF_WRITE = 8,         /* is the local memory of zf_write */
    ZF_REMOTE_READ = 16,  /* peers may read it */
    ZF_REMOTE_WRITE = 32  /* peers may write it */
};

/**
 * Registers memory. It must stay mapped until zf_deregister or zf_close.
 * @param bytes  1 or more
 * @param access enum zf_access, at least one
 * @return handle, above 0
 */
ZF_API int64_t zf_register(int64_t endpoint, int64_t address, int64_t bytes, int32_t access);

/** -FI_EBUSY (-16) while operations of this endpoint use it. What peers do with it is not counted: stop them first. */
ZF_API int32_t zf_deregister(int64_t endpoint, int64_t registration);

/* 24 bytes. */
struct zf_remote {
    uint64_t key;
    uint64_t address; /* remote address of the first byte: that of the memory, or 0 */
    int64_t bytes;
};

/** What a peer needs to read or write a registration. */
ZF_API int32_t zf_remote_key(int64_t endpoint, int64_t registration, struct zf_remote *out);

/* ---- Operations: no allocation, no lock ----------------------------------------------------- */

/*
 * -FI_EAGAIN (-11): queues are full, or a connection is being made. Call zf_poll and try again.
 * A registration of 0 means none; it is allowed unless the provider says ZF_NEEDS_LOCAL_REGISTRATION.
 * The address may be 0 where bytes is 0.
 */

/** Sends. Completes when the memory may be used again, which says nothing about the peer. */
ZF_API int32_t zf_send(int64_t endpoint, int32_t peer, int64_t registration, int64_t address, int64_t bytes,
                       uint64_t context);

/** Sends at most inject_bytes_max; the memory may be used again at once. Yields no completion. */
ZF_API int32_t zf_inject(int64_t endpoint, int32_t peer, int64_t address, int64_t bytes);

/**
 * Posts memory for one message from anyone. A longer message completes it with -FI_ETRUNC (-265), but breaks tcp's
 * connection, and one that is much longer leaves both operations without completion: see README.md. Peers must know
 * how much memory is posted.
 */
ZF_API int32_t zf_receive(int64_t endpoint, int64_t registration, int64_t address, int64_t bytes, uint64_t context);

enum zf_rma_flags {
    ZF_RMA_NOTIFY = 1,   /* zf_write: the target's queue gets ZF_REMOTE_WRITTEN with the data */
    ZF_RMA_DELIVERED = 2 /* zf_write: completes when the target's memory has it */
};

/* 64 bytes, read during the call only. */
struct zf_rma {
    int32_t peer;
    uint32_t flags; /* enum zf_rma_flags */
    int64_t registration; /* of local memory, or 0 */
    int64_t address;      /* of local memory */
    int64_t bytes;
    uint64_t remote_address; /* zf_remote.address plus an offset */
    uint64_t remote_key;
    uint64_t context;
    uint32_t data; /* for ZF_RMA_NOTIFY */
    int32_t reserved;
};

/**
 * zf_send with its arguments in memory; what is of the remote end, data and flags must be 0. For foreign function
 * interfaces that are slow, or wrong, from six arguments on: JNR-FFI 2.2.18 passes garbage as the sixth integer.
 */
ZF_API int32_t zf_send_from(int64_t endpoint, const struct zf_rma *message);

/** Writes local memory to the peer's. Without ZF_RMA_DELIVERED it completes when local memory may be used again. */
ZF_API int32_t zf_write(int64_t endpoint, const struct zf_rma *rma);

/** Reads the peer's memory into local memory. Completes when it is here. */
ZF_API int32_t zf_read(int64_t endpoint, const struct zf_rma *rma);

/**
 * Cancels one posted receive that has this context; it completes with -FI_ECANCELED (-125), or with
 * its message if that came first.
 * @return 0, or -FI_ENOENT (-2) if no such receive is posted
 */
ZF_API int32_t zf_cancel(int64_t endpoint, uint64_t context);

/* ---- Completions ---------------------------------------------------------------------------- */

enum zf_kind {
    ZF_NO_OPERATION = 0, /* an error of no operation of the caller's: a failed inject, a message of a dead peer */
    ZF_SENT = 1,
    ZF_RECEIVED = 2,
    ZF_WRITTEN = 3,
    ZF_HAVE_READ = 4,
    ZF_REMOTE_WRITTEN = 5 /* a peer has written here with ZF_RMA_NOTIFY; context is 0 */
};

/* 40 bytes. */
struct zf_completion {
    uint64_t context;
    int64_t bytes; /* received, or of the operation; ZF_REMOTE_WRITTEN: as the provider says, perhaps 0 */
    int32_t kind;   /* enum zf_kind */
    int32_t status; /* 0, or libfabric's negative code of why this operation failed */
    uint32_t data;  /* of ZF_REMOTE_WRITTEN */
    int32_t provider_error; /* the provider's own number where status is negative */
    int64_t reserved;
};

/**
 * Makes progress and takes completions, failures among them. Never blocks.
 * @param max 1 or more
 * @return how many; negative only if the queue itself is unusable
 */
ZF_API int32_t zf_poll(int64_t endpoint, struct zf_completion *out, int32_t max);

/**
 * Blocks until zf_poll may have something to do.
 * Being woken promises nothing: poll, then wait again.
 *
 * @param timeout_ms 0 or more; -1 for ever
 * @return 1 when it is worth polling, 0 when time is over, ZF_ENOWAIT at once without a wait object
 */
ZF_API int32_t zf_wait(int64_t endpoint, int32_t timeout_ms);

/**
 * The descriptor behind zf_wait, readable when there is something to do; it belongs to the endpoint.
 * Whoever waits on it himself must call zf_wait with 0 before each time, and must wait only if that answers 0.
 * @return descriptor, or ZF_ENOWAIT
 */
ZF_API int32_t zf_wait_fd(int64_t endpoint);

#ifdef __cplusplus
}
#endif

#endif
