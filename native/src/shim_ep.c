/* Endpoints: opened in order, closed in reverse, and facts about them. */
#include <stdlib.h>
#include <string.h>

#include "shim.h"

_Static_assert(sizeof(struct zf_options) == 496, "layout is part of the interface");
_Static_assert(sizeof(struct zf_facts) == 336, "layout is part of the interface");
_Static_assert(sizeof(struct zf_counts) == 24, "layout is part of the interface");
_Static_assert(sizeof(struct zf_remote) == 24, "layout is part of the interface");
_Static_assert(sizeof(struct zf_rma) == 64, "layout is part of the interface");
_Static_assert(sizeof(struct zf_completion) == 40, "layout is part of the interface");

#define DEPTH_DEFAULT 256
#define TABLE_DEFAULT 1024

static bool in_range(int32_t value, int32_t max) {
    return value >= 0 && value <= max;
}

static bool ends(const char *name, size_t bytes) {
    return memchr(name, '\0', bytes) != NULL;
}

static int check_options(const struct zf_options *options) {
    if (options == NULL) {
        return ZF_EARG;
    }
    if (options->bytes != (int32_t)sizeof *options) {
        return ZF_EVERSION;
    }
    bool depths = in_range(options->transmit_depth, DEPTH_MAX) && in_range(options->receive_depth, DEPTH_MAX) &&
                  in_range(options->notification_depth, DEPTH_MAX) && in_range(options->peers_max, TABLE_MAX) &&
                  in_range(options->registrations_max, TABLE_MAX);
    bool names = ends(options->provider, sizeof options->provider) && ends(options->domain, sizeof options->domain) &&
                 ends(options->fabric, sizeof options->fabric) && ends(options->node, sizeof options->node);
    bool wants = (options->wants & ~(uint32_t)(ZF_WANT_RMA | ZF_WANT_NOTIFY | ZF_WANT_WAIT)) == 0;
    bool limits = options->inject_bytes_min >= 0 && options->buffered_bytes >= 0 && options->reserved == 0;
    return depths && names && wants && limits ? 0 : ZF_EARG;
}

static int32_t or_default(int32_t value, int32_t otherwise) {
    return value == 0 ? otherwise : value;
}

/* Providers round sizes of queues up to powers of two themselves, or fail: so no other is asked for. */
static size_t power_of_two(int32_t wanted) {
    size_t size = 1;
    while (size < (size_t)wanted) {
        size *= 2;
    }
    return size;
}

/* What libfabric shows for a queue is what it can do at most. */
static int32_t limit_depth(size_t *size, int32_t wanted) {
    size_t rounded = power_of_two(wanted);
    if (*size == 0 || rounded < *size) {
        *size = rounded;
    }
    return *size < (size_t)wanted ? (int32_t)*size : wanted;
}

static int64_t clamp(size_t value) {
    return value > (size_t)INT64_MAX ? INT64_MAX : (int64_t)value;
}

/*
 * Data for the target's queue is enough: tcp;ofi_rxm takes it with writes although it has no FI_RMA_EVENT, which is
 * about telling of writes without data as well.
 */
static bool notifies(const struct fi_info *info, uint32_t wants) {
    return (wants & ZF_WANT_NOTIFY) != 0 && (info->caps & FI_RMA) != 0 &&
           info->domain_attr->cq_data_size >= sizeof(uint32_t);
}

static void note_facts(struct endpoint *endpoint, const struct library *library, uint32_t wants) {
    const struct fi_info *info = endpoint->info;
    uint64_t mode = (uint64_t)info->domain_attr->mr_mode;
    uint32_t has = 0;
    has |= (info->caps & FI_RMA) != 0 ? ZF_HAS_RMA : 0U;
    has |= notifies(info, wants) ? ZF_HAS_NOTIFY : 0U;
    has |= endpoint->wait_fd >= 0 ? ZF_HAS_WAIT : 0U;
    has |= (has & ZF_HAS_RMA) != 0 && info_delivers(library, info) ? ZF_HAS_DELIVERY_COMPLETE : 0U;
    has |= (mode & FI_MR_LOCAL) != 0 ? ZF_NEEDS_LOCAL_REGISTRATION : 0U;
    has |= (mode & FI_MR_VIRT_ADDR) != 0 ? ZF_NEEDS_VIRTUAL_ADDRESS : 0U;
    has |= (mode & FI_MR_PROV_KEY) != 0 ? ZF_CHOOSES_KEYS : 0U;
    has |= (mode & FI_MR_ENDPOINT) != 0 ? ZF_BINDS_REGISTRATIONS : 0U;
    has |= (mode & FI_MR_ALLOCATED) != 0 ? ZF_NEEDS_ALLOCATED : 0U;
    endpoint->has = has;
    endpoint->message_bytes_max = clamp(info->ep_attr->max_msg_size);
    endpoint->inject_bytes_max = clamp(info->tx_attr->inject_size);
}

static int make_tables(struct endpoint *endpoint, const struct zf_options *options) {
    struct fi_info *info = endpoint->info;
    int32_t transmits = limit_depth(&info->tx_attr->size, or_default(options->transmit_depth, DEPTH_DEFAULT));
    int32_t receives = limit_depth(&info->rx_attr->size, or_default(options->receive_depth, DEPTH_DEFAULT));
    endpoint->peers_max = or_default(options->peers_max, TABLE_DEFAULT);
    endpoint->registrations_max = or_default(options->registrations_max, TABLE_DEFAULT);
    endpoint->peers = calloc((size_t)endpoint->peers_max, sizeof *endpoint->peers);
    endpoint->registrations = calloc((size_t)endpoint->registrations_max, sizeof *endpoint->registrations);
    if (endpoint->peers == NULL || endpoint->registrations == NULL) {
        return -FI_ENOMEM;
    }
    int result = pool_make(&endpoint->transmits, transmits);
    return result != 0 ? result : pool_make(&endpoint->receives, receives);
}

static int open_queue(struct endpoint *endpoint, const struct zf_options *options) {
    int32_t notifications = or_default(options->notification_depth, DEPTH_DEFAULT);
    int32_t entries = endpoint->transmits.size + endpoint->receives.size + notifications;
    struct fi_cq_attr attributes = {
        .size = power_of_two(entries),
        .format = FI_CQ_FORMAT_DATA,
        .wait_obj = (options->wants & ZF_WANT_WAIT) != 0 ? FI_WAIT_FD : FI_WAIT_NONE,
    };
    int result = fi_cq_open(endpoint->domain, &attributes, &endpoint->cq, NULL);
    if (result != 0 && attributes.wait_obj != FI_WAIT_NONE) {
        attributes.wait_obj = FI_WAIT_NONE;
        result = fi_cq_open(endpoint->domain, &attributes, &endpoint->cq, NULL);
    }
    if (result == 0 && attributes.wait_obj == FI_WAIT_FD &&
        fi_control(&endpoint->cq->fid, FI_GETWAIT, &endpoint->wait_fd) != 0) {
        endpoint->wait_fd = -1;
    }
    return result;
}

/* A provider with a limit (256 for shm) refuses more without saying which: so ask for less until it agrees. */
static int open_addresses(struct endpoint *endpoint) {
    for (;;) {
        struct fi_av_attr attributes = {.type = FI_AV_TABLE, .count = (size_t)endpoint->peers_max};
        int result = fi_av_open(endpoint->domain, &attributes, &endpoint->av, NULL);
        if (result == 0 || endpoint->peers_max == 1) {
            return result;
        }
        endpoint->peers_max /= 2;
    }
}

static int open_endpoint(struct endpoint *endpoint) {
    /* Here shm takes the handlers over. It must not have them longer than this call. */
    struct signals saved;
    signals_save(&saved);
    int result = fi_endpoint(endpoint->domain, endpoint->info, &endpoint->ep, NULL);
    signals_restore(&saved);
    if (result == 0) {
        result = fi_ep_bind(endpoint->ep, &endpoint->av->fid, 0);
    }
    if (result == 0) {
        result = fi_ep_bind(endpoint->ep, &endpoint->cq->fid, FI_TRANSMIT | FI_RECV);
    }
    return result != 0 ? result : fi_enable(endpoint->ep);
}

static int note_name(struct endpoint *endpoint) {
    size_t length = sizeof endpoint->own_name;
    int result = fi_getname(&endpoint->ep->fid, endpoint->own_name, &length);
    endpoint->own_name_bytes = result == 0 ? (int32_t)length : 0;
    return result;
}

static int open_all(struct endpoint *endpoint, const struct library *library, const struct zf_options *options) {
    int result = info_choose(library, options, &endpoint->info);
    if (result == 0) {
        result = make_tables(endpoint, options);
    }
    if (result == 0) {
        result = library->fabric(endpoint->info->fabric_attr, &endpoint->fabric, NULL);
    }
    if (result == 0) {
        result = fi_domain(endpoint->fabric, endpoint->info, &endpoint->domain, NULL);
    }
    if (result == 0) {
        result = open_addresses(endpoint);
    }
    if (result == 0) {
        result = open_queue(endpoint, options);
    }
    if (result == 0) {
        result = open_endpoint(endpoint);
    }
    if (result == 0) {
        result = note_name(endpoint);
    }
    if (result == 0) {
        note_facts(endpoint, library, options->wants);
    }
    return result;
}

static int64_t open_locked(const struct zf_options *options) {
    const struct library *library = library_get();
    if (library == NULL) {
        return ZF_ELIBRARY;
    }
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (endpoint == NULL) {
        return -FI_ENOMEM;
    }
    endpoint->wait_fd = -1;
    struct signals saved;
    signals_save(&saved);
    int64_t result = open_all(endpoint, library, options);
    signals_restore(&saved);
    if (result == 0) {
        result = table_put(endpoint);
    }
    if (result < 0) {
        endpoint_destroy(endpoint);
    }
    return result;
}

int64_t zf_open(const struct zf_options *options) {
    int checked = check_options(options);
    if (checked != 0) {
        return checked;
    }
    table_lock();
    int64_t result = open_locked(options);
    table_unlock();
    return result;
}

static void close_one(struct fid *object) {
    if (object != NULL) {
        (void)fi_close(object);
    }
}

#define CLOSE(object) close_one((object) == NULL ? NULL : &(object)->fid)

void endpoint_destroy(struct endpoint *endpoint) {
    /* Registrations that are bound to the endpoint go before it, others after: it may still be using them. */
    bool bound = (endpoint->has & ZF_BINDS_REGISTRATIONS) != 0;
    if (bound) {
        registrations_close(endpoint);
    }
    CLOSE(endpoint->ep);
    if (!bound) {
        registrations_close(endpoint);
    }
    CLOSE(endpoint->cq);
    CLOSE(endpoint->av);
    CLOSE(endpoint->domain);
    CLOSE(endpoint->fabric);
    peers_forget(endpoint);
    pool_free(&endpoint->transmits);
    pool_free(&endpoint->receives);
    free(endpoint->peers);
    free(endpoint->registrations);
    free(endpoint->neighbours);
    if (endpoint->info != NULL) {
        library_peek()->freeinfo(endpoint->info);
    }
    free(endpoint);
}

int32_t zf_close(int64_t handle) {
    int32_t result = 0;
    table_lock();
    struct endpoint *endpoint = table_take(handle);
    if (endpoint == NULL) {
        result = ZF_ESTALE;
    } else if (endpoint_settle(endpoint)) {
        linger_or_destroy(endpoint);
    } else {
        linger_for_ever(endpoint);
        result = ZF_STAYS;
    }
    table_unlock();
    return result;
}

int32_t zf_facts(int64_t handle, struct zf_facts *out) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint == NULL) {
        return ZF_ESTALE;
    }
    if (out == NULL) {
        return ZF_EARG;
    }
    if (out->bytes != (int32_t)sizeof *out) {
        return ZF_EVERSION;
    }
    const struct fi_info *info = endpoint->info;
    memset(out, 0, sizeof *out);
    out->bytes = (int32_t)sizeof *out;
    out->has = endpoint->has;
    out->message_bytes_max = endpoint->message_bytes_max;
    out->inject_bytes_max = endpoint->inject_bytes_max;
    out->capabilities = info->caps;
    out->registration_mode = (uint64_t)info->domain_attr->mr_mode;
    out->transmit_depth = endpoint->transmits.size;
    out->receive_depth = endpoint->receives.size;
    out->peers_max = endpoint->peers_max;
    out->registrations_max = endpoint->registrations_max;
    out->address_format = (int32_t)info->addr_format;
    out->address_bytes = endpoint->own_name_bytes;
    copy_name(out->provider, sizeof out->provider, info->fabric_attr->prov_name);
    copy_name(out->domain, sizeof out->domain, info->domain_attr->name);
    copy_name(out->fabric, sizeof out->fabric, info->fabric_attr->name);
    return 0;
}

int32_t zf_counts(int64_t handle, struct zf_counts *out) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint == NULL) {
        return ZF_ESTALE;
    }
    if (out == NULL) {
        return ZF_EARG;
    }
    if (out->bytes != (int32_t)sizeof *out) {
        return ZF_EVERSION;
    }
    out->transmits = endpoint->transmits.used;
    out->receives = endpoint->receives.used;
    out->registrations = endpoint->registrations_used;
    out->peers = endpoint->peers_used;
    out->reserved = 0;
    return 0;
}
