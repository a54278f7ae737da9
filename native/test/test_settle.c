/*
 * Which endpoints may be closed with a read in flight, by the name of their provider. Of the providers that run without
 * hardware none but tcp has a read in flight when it is closed: soft-RoCE does it all in the call that begins it. So here is the
 * shim's own function, with a provider that completes nothing.
 */
#include "../src/shim.h"
#include "check.h"

static ssize_t nothing_completes(struct fid_cq *queue, void *out, size_t count) {
    (void)queue;
    (void)out;
    (void)count;
    return -FI_EAGAIN;
}

static bool settles(char *provider, int32_t kind) {
    struct operation operations[2] = {{.kind = ZF_NO_OPERATION}, {.kind = kind}};
    struct fi_ops_cq calls = {.size = sizeof calls, .read = nothing_completes};
    struct fid_cq queue = {.ops = &calls};
    struct fi_fabric_attr attributes = {.prov_name = provider};
    struct fi_info info = {.fabric_attr = &attributes};
    struct endpoint endpoint = {.cq = &queue, .info = &info, .transmits = {.operations = operations, .size = 2, .used = 1}};
    return endpoint_settle(&endpoint);
}

int main(void) {
    /* libfabric would die of it, and nothing is written to the memory of the read: it stays. */
    CHECK(!settles("tcp;ofi_rxm", ZF_HAVE_READ));
    CHECK(settles("tcp;ofi_rxm", ZF_WRITTEN));
    /* A card would go on writing: it is closed. */
    CHECK(settles("verbs;ofi_rxm", ZF_HAVE_READ));
    CHECK(settles("verbs;ofi_rxm", ZF_WRITTEN));
    CHECK(settles("efa", ZF_HAVE_READ));
    CHECK(settles("shm", ZF_HAVE_READ));
    return 0;
}
