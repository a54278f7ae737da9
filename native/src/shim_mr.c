/* Registered memory. */
#include "shim.h"

#define ACCESS_ALL (ZF_SEND | ZF_RECEIVE | ZF_READ | ZF_WRITE | ZF_REMOTE_READ | ZF_REMOTE_WRITE)
#define ACCESS_RMA (ZF_READ | ZF_WRITE | ZF_REMOTE_READ | ZF_REMOTE_WRITE)

struct registration *registration_of(struct endpoint *endpoint, int64_t handle) {
    int64_t index = handle & HANDLE_INDEX_MASK;
    if (handle <= 0 || index >= endpoint->registrations_max) {
        return NULL;
    }
    struct registration *registration = &endpoint->registrations[index];
    return registration->handle == handle ? registration : NULL;
}

static uint64_t access_of(int32_t access) {
    uint64_t bits = 0;
    bits |= (access & ZF_SEND) != 0 ? FI_SEND : 0;
    bits |= (access & ZF_RECEIVE) != 0 ? FI_RECV : 0;
    bits |= (access & ZF_READ) != 0 ? FI_READ : 0;
    bits |= (access & ZF_WRITE) != 0 ? FI_WRITE : 0;
    bits |= (access & ZF_REMOTE_READ) != 0 ? FI_REMOTE_READ : 0;
    bits |= (access & ZF_REMOTE_WRITE) != 0 ? FI_REMOTE_WRITE : 0;
    return bits;
}

static int32_t free_index(struct endpoint *endpoint) {
    for (int32_t tried = 0; tried < endpoint->registrations_max; tried++) {
        int32_t index = (endpoint->registrations_next + tried) % endpoint->registrations_max;
        if (endpoint->registrations[index].handle == 0) {
            endpoint->registrations_next = (index + 1) % endpoint->registrations_max;
            return index;
        }
    }
    return -1;
}

static int bind(struct endpoint *endpoint, struct fid_mr *mr) {
    if ((endpoint->has & ZF_BINDS_REGISTRATIONS) == 0) {
        return 0;
    }
    int result = fi_mr_bind(mr, &endpoint->ep->fid, 0);
    return result != 0 ? result : fi_mr_enable(mr);
}

static int open_region(struct endpoint *endpoint, int64_t address, int64_t bytes, int32_t access, struct fid_mr **out) {
    /* A key of a counter is never used twice: whoever kept the key of a dead registration finds nothing. */
    uint64_t key = (endpoint->has & ZF_CHOOSES_KEYS) != 0 ? 0 : ++endpoint->next_key;
    struct fid_mr *mr = NULL;
    void *memory = (void *)(intptr_t)address;
    int result = fi_mr_reg(endpoint->domain, memory, (size_t)bytes, access_of(access), 0, key, 0, &mr, NULL);
    if (result != 0) {
        return result;
    }
    result = bind(endpoint, mr);
    if (result != 0) {
        (void)fi_close(&mr->fid);
        return result;
    }
    *out = mr;
    return 0;
}

int64_t zf_register(int64_t handle, int64_t address, int64_t bytes, int32_t access) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint == NULL) {
        return ZF_ESTALE;
    }
    if (address <= 0 || bytes <= 0 || address > INT64_MAX - bytes || access == 0 || (access & ~ACCESS_ALL) != 0) {
        return ZF_EARG;
    }
    if ((endpoint->has & ZF_HAS_RMA) == 0 && (access & ACCESS_RMA) != 0) {
        return ZF_ENORMA;
    }
    int32_t index = free_index(endpoint);
    if (index < 0) {
        return ZF_ELIMIT;
    }
    struct fid_mr *mr = NULL;
    int result = open_region(endpoint, address, bytes, access, &mr);
    if (result != 0) {
        return result;
    }
    struct registration *registration = &endpoint->registrations[index];
    registration->handle = handle_new(HANDLE_REGISTRATION, index);
    registration->address = address;
    registration->bytes = bytes;
    registration->mr = mr;
    registration->descriptor = fi_mr_desc(mr);
    registration->access = access;
    registration->uses = 0;
    endpoint->registrations_used++;
    return registration->handle;
}

int32_t zf_deregister(int64_t handle, int64_t number) {
    struct endpoint *endpoint = endpoint_of(handle);
    struct registration *registration = endpoint == NULL ? NULL : registration_of(endpoint, number);
    if (registration == NULL) {
        return ZF_ESTALE;
    }
    if (registration->uses > 0) {
        return -FI_EBUSY;
    }
    int result = fi_close(&registration->mr->fid);
    if (result != 0) {
        return result;
    }
    registration->handle = 0;
    endpoint->registrations_used--;
    return 0;
}

int32_t zf_remote_key(int64_t handle, int64_t number, struct zf_remote *out) {
    struct endpoint *endpoint = endpoint_of(handle);
    struct registration *registration = endpoint == NULL ? NULL : registration_of(endpoint, number);
    if (registration == NULL) {
        return ZF_ESTALE;
    }
    if (out == NULL) {
        return ZF_EARG;
    }
    if ((registration->access & (ZF_REMOTE_READ | ZF_REMOTE_WRITE)) == 0) {
        return ZF_EACCESS;
    }
    out->key = fi_mr_key(registration->mr);
    out->address = (endpoint->has & ZF_NEEDS_VIRTUAL_ADDRESS) != 0 ? (uint64_t)registration->address : 0;
    out->bytes = registration->bytes;
    return 0;
}

void registrations_close(struct endpoint *endpoint) {
    for (int32_t i = 0; endpoint->registrations != NULL && i < endpoint->registrations_max; i++) {
        struct registration *registration = &endpoint->registrations[i];
        if (registration->handle != 0) {
            (void)fi_close(&registration->mr->fid);
            registration->handle = 0;
        }
    }
}
