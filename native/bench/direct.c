/* libfabric without the shim: as little code as works, to be the floor. */
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <string.h>

#include "way.h"

static struct fi_info *info;
static struct fid_fabric *fabric;
static struct fid_domain *domain;
static struct fid_av *av;
static struct fid_cq *cq;
static struct fid_ep *ep;
static struct fid_mr *mr;
static void *lent_memory;
static fi_addr_t other;
static struct fi_context2 contexts[64];
static unsigned next_context;

static void must(int result, const char *what) {
    if (result < 0) {
        bench_fail(what, result);
    }
}

static void direct_open(const char *provider, void *memory, int64_t bytes) {
    struct fi_info *hints = fi_allocinfo();
    hints->caps = FI_MSG | FI_RMA;
    hints->mode = FI_CONTEXT | FI_CONTEXT2;
    hints->ep_attr->type = FI_EP_RDM;
    hints->domain_attr->mr_mode = FI_MR_LOCAL | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_VIRT_ADDR;
    hints->domain_attr->threading = FI_THREAD_DOMAIN;
    hints->tx_attr->msg_order = FI_ORDER_SAS;
    hints->rx_attr->msg_order = FI_ORDER_SAS;
    hints->fabric_attr->prov_name = strdup(provider);
    const char *node = strncmp(provider, "tcp", 3) == 0 ? "127.0.0.1" : NULL;
    must(fi_getinfo(FI_VERSION(1, 17), node, NULL, node == NULL ? 0 : FI_SOURCE, hints, &info), "fi_getinfo");
    fi_freeinfo(hints);
    info->tx_attr->size = 256;
    info->rx_attr->size = 256;
    struct fi_av_attr av_attributes = {.type = FI_AV_TABLE, .count = 16};
    struct fi_cq_attr cq_attributes = {.size = 1024, .format = FI_CQ_FORMAT_DATA, .wait_obj = FI_WAIT_NONE};
    must(fi_fabric(info->fabric_attr, &fabric, NULL), "fi_fabric");
    must(fi_domain(fabric, info, &domain, NULL), "fi_domain");
    must(fi_av_open(domain, &av_attributes, &av, NULL), "fi_av_open");
    must(fi_cq_open(domain, &cq_attributes, &cq, NULL), "fi_cq_open");
    must(fi_endpoint(domain, info, &ep, NULL), "fi_endpoint");
    must(fi_ep_bind(ep, &av->fid, 0), "bind av");
    must(fi_ep_bind(ep, &cq->fid, FI_TRANSMIT | FI_RECV), "bind cq");
    must(fi_enable(ep), "fi_enable");
    must(fi_mr_reg(domain, memory, (size_t)bytes, FI_SEND | FI_RECV | FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE, 0, 1, 0, &mr, NULL),
         "fi_mr_reg");
    lent_memory = memory;
}

static int32_t direct_address(uint8_t *out, int32_t bytes) {
    size_t length = (size_t)bytes;
    must(fi_getname(&ep->fid, out, &length), "fi_getname");
    return (int32_t)length;
}

static void direct_peer(const uint8_t *address, int32_t bytes) {
    (void)bytes;
    must(fi_av_insert(av, address, 1, &other, 0, NULL) - 1, "fi_av_insert");
}

static void direct_lent(uint64_t *remote_address, uint64_t *key) {
    *remote_address = (info->domain_attr->mr_mode & FI_MR_VIRT_ADDR) != 0 ? (uint64_t)(uintptr_t)lent_memory : 0;
    *key = fi_mr_key(mr);
}

static struct fi_context2 *context(void) {
    return &contexts[next_context++ % 64];
}

static int begun(ssize_t result, const char *what) {
    if (result != 0 && result != -FI_EAGAIN) {
        bench_fail(what, result);
    }
    return result == 0;
}

static int direct_send(void *memory, int64_t bytes) {
    return begun(fi_send(ep, memory, (size_t)bytes, fi_mr_desc(mr), other, context()), "fi_send");
}

static int direct_receive(void *memory, int64_t bytes) {
    return begun(fi_recv(ep, memory, (size_t)bytes, fi_mr_desc(mr), FI_ADDR_UNSPEC, context()), "fi_recv");
}

static int direct_write(void *memory, int64_t bytes, uint64_t remote_address, uint64_t key) {
    return begun(fi_write(ep, memory, (size_t)bytes, fi_mr_desc(mr), other, remote_address, key, context()),
                 "fi_write");
}

static int direct_read(void *memory, int64_t bytes, uint64_t remote_address, uint64_t key) {
    return begun(fi_read(ep, memory, (size_t)bytes, fi_mr_desc(mr), other, remote_address, key, context()), "fi_read");
}

static void direct_poll(int64_t *transmitted, int64_t *received) {
    struct fi_cq_data_entry entries[32];
    ssize_t count = fi_cq_read(cq, entries, 32);
    if (count < 0 && count != -FI_EAGAIN) {
        bench_fail("fi_cq_read", count);
    }
    for (ssize_t i = 0; i < count; i++) {
        *received += (entries[i].flags & FI_RECV) != 0;
        *transmitted += (entries[i].flags & FI_RECV) == 0;
    }
}

static void direct_close(void) {
    (void)fi_close(&ep->fid);
    (void)fi_close(&mr->fid);
    (void)fi_close(&cq->fid);
    (void)fi_close(&av->fid);
    (void)fi_close(&domain->fid);
    (void)fi_close(&fabric->fid);
    fi_freeinfo(info);
}

const struct way direct_way = {"libfabric",   direct_open,    direct_address, direct_peer, direct_lent,
                               direct_send,   direct_receive, direct_write,   direct_read,    direct_poll,
                               direct_close};
