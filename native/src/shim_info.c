/* What libfabric offers here, and which of it to open. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "shim.h"

/* What the shim can cope with; a provider says which of it it needs. */
#define REGISTRATION_MODES (FI_MR_LOCAL | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_VIRT_ADDR | FI_MR_ENDPOINT)

#define LINE_BYTES 640
#define REMEMBERED 32

void copy_name(char *out, size_t bytes, const char *name) {
    (void)snprintf(out, bytes, "%s", name == NULL ? "" : name);
}

struct fi_info *info_hints(const struct library *library, uint64_t capabilities) {
    struct fi_info *hints = library->dupinfo(NULL);
    if (hints == NULL) {
        return NULL;
    }
    hints->caps = capabilities;
    hints->mode = FI_CONTEXT | FI_CONTEXT2;
    hints->ep_attr->type = FI_EP_RDM;
    hints->domain_attr->mr_mode = REGISTRATION_MODES;
    hints->domain_attr->threading = FI_THREAD_DOMAIN;
    hints->domain_attr->av_type = FI_AV_TABLE;
    hints->tx_attr->msg_order = FI_ORDER_SAS;
    hints->rx_attr->msg_order = FI_ORDER_SAS;
    return hints;
}

/* An empty name asks for nothing. False: no memory. */
static bool set_name(char **field, const char *name) {
    if (name == NULL || name[0] == '\0') {
        return true;
    }
    *field = strdup(name);
    return *field != NULL;
}

static uint64_t capabilities_of(uint32_t wants) {
    return FI_MSG | ((wants & ZF_WANT_RMA) == 0 ? 0 : FI_RMA) | ((wants & ZF_WANT_NOTIFY) == 0 ? 0 : FI_RMA_EVENT);
}

static int look(const struct library *library, const struct zf_options *options, uint64_t capabilities,
                struct fi_info **out) {
    struct fi_info *hints = info_hints(library, capabilities);
    if (hints == NULL) {
        return -FI_ENOMEM;
    }
    int result = -FI_ENOMEM;
    if (set_name(&hints->fabric_attr->prov_name, options->provider) &&
        set_name(&hints->fabric_attr->name, options->fabric) && set_name(&hints->domain_attr->name, options->domain)) {
        const char *node = options->node[0] == '\0' ? NULL : options->node;
        hints->tx_attr->inject_size = (size_t)options->inject_bytes_min;
        hints->rx_attr->total_buffered_recv = (size_t)options->buffered_bytes;
        struct signals saved;
        signals_save(&saved);
        result = library->getinfo(FABRIC_API, node, NULL, node == NULL ? 0 : FI_SOURCE, hints, out);
        signals_restore(&saved);
    }
    library->freeinfo(hints);
    return result;
}

static bool is_shm(const struct fi_info *info) {
    return strcmp(info->fabric_attr->prov_name, "shm") == 0;
}

/*
 * Of itself shm names an endpoint by the number of its process, which two containers that share
 * memory may both have.
 */
static int name_shm(struct fi_info *info) {
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        return -FI_EIO;
    }
    char name[ZF_NAME_BYTES];
    int length = snprintf(name, sizeof name, "fi_shm://zip-%d-%016llx", (int)getpid(), (unsigned long long)random);
    free(info->src_addr);
    info->src_addr = strdup(name);
    info->src_addrlen = (size_t)length + 1;
    return info->src_addr == NULL ? -FI_ENOMEM : 0;
}

static bool named(const char *wanted, const char *name) {
    return wanted[0] == '\0' || (name != NULL && strcmp(wanted, name) == 0);
}

/* Not every provider looks at the names it is asked for. */
static struct fi_info *first_match(struct fi_info *found, const struct zf_options *options) {
    struct fi_info *info = found;
    while (info != NULL && !(named(options->domain, info->domain_attr->name) &&
                             named(options->fabric, info->fabric_attr->name) &&
                             info->tx_attr->inject_size >= (size_t)options->inject_bytes_min)) {
        info = info->next;
    }
    return info;
}

int info_choose(const struct library *library, const struct zf_options *options, struct fi_info **out) {
    struct fi_info *found = NULL;
    uint64_t capabilities = capabilities_of(options->wants);
    int result = look(library, options, capabilities, &found);
    if (result == -FI_ENODATA && (capabilities & FI_RMA_EVENT) != 0) {
        result = look(library, options, capabilities & ~FI_RMA_EVENT, &found);
    }
    if (result != 0) {
        return result;
    }
    struct fi_info *match = first_match(found, options);
    struct fi_info *chosen = match == NULL ? NULL : library->dupinfo(match);
    library->freeinfo(found);
    if (chosen == NULL) {
        return match == NULL ? -FI_ENODATA : -FI_ENOMEM;
    }
    if (is_shm(chosen) && options->node[0] == '\0') {
        result = name_shm(chosen);
    }
    if (result != 0) {
        library->freeinfo(chosen);
        return result;
    }
    *out = chosen;
    return 0;
}

static bool ask_delivers(const struct library *library, const struct fi_info *info) {
    struct fi_info *hints = info_hints(library, FI_MSG | FI_RMA);
    struct fi_info *found = NULL;
    int result = -FI_ENOMEM;
    if (hints != NULL && set_name(&hints->fabric_attr->prov_name, info->fabric_attr->prov_name)) {
        hints->tx_attr->op_flags = FI_DELIVERY_COMPLETE;
        struct signals saved;
        signals_save(&saved);
        result = library->getinfo(FABRIC_API, NULL, NULL, 0, hints, &found);
        signals_restore(&saved);
    }
    if (found != NULL) {
        library->freeinfo(found);
    }
    if (hints != NULL) {
        library->freeinfo(hints);
    }
    return result == 0;
}

/* Asking costs milliseconds, so what a provider answered is kept. Under the lock of the table. */
bool info_delivers(const struct library *library, const struct fi_info *info) {
    static char known[REMEMBERED][ZF_NAME_BYTES];
    static bool answers[REMEMBERED];
    static int count;
    for (int i = 0; i < count; i++) {
        if (strcmp(known[i], info->fabric_attr->prov_name) == 0) {
            return answers[i];
        }
    }
    bool answer = ask_delivers(library, info);
    if (count < REMEMBERED && strlen(info->fabric_attr->prov_name) < ZF_NAME_BYTES) {
        copy_name(known[count], sizeof known[count], info->fabric_attr->prov_name);
        answers[count++] = answer;
    }
    return answer;
}

/* ---- Listing. */

struct word {
    const char *text;
    bool applies;
};

static void words(const struct fi_info *info, bool delivers, char *out, size_t bytes) {
    uint64_t mode = (uint64_t)info->domain_attr->mr_mode;
    const struct word all[] = {
        {"msg", (info->caps & FI_MSG) != 0},
        {"rma", (info->caps & FI_RMA) != 0},
        {"rma-event", (info->caps & FI_RMA_EVENT) != 0},
        {"cq-data", info->domain_attr->cq_data_size >= sizeof(uint32_t)},
        {"delivery-complete", delivers},
        {"local-registration", (mode & FI_MR_LOCAL) != 0},
        {"virtual-address", (mode & FI_MR_VIRT_ADDR) != 0},
        {"provider-key", (mode & FI_MR_PROV_KEY) != 0},
        {"endpoint-registration", (mode & FI_MR_ENDPOINT) != 0},
        {"local", (info->caps & FI_LOCAL_COMM) != 0},
        {"remote", (info->caps & FI_REMOTE_COMM) != 0},
    };
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].applies && used < bytes) {
            used += (size_t)snprintf(out + used, bytes - used, "%s%s", used == 0 ? "" : ",", all[i].text);
        }
    }
}

static void own_address(const struct fi_info *info, char *out, size_t bytes) {
    out[0] = '\0';
    if (info->src_addr == NULL) {
        return;
    }
    if (info->addr_format == FI_ADDR_STR) {
        copy_name(out, bytes, info->src_addr);
    } else if (info->addr_format == FI_SOCKADDR_IN || info->addr_format == FI_SOCKADDR_IN6) {
        (void)getnameinfo(info->src_addr, (socklen_t)info->src_addrlen, out, (socklen_t)bytes, NULL, 0,
                          NI_NUMERICHOST);
    }
}

static void line_of(const struct library *library, const struct fi_info *info, bool delivers, char *out, size_t bytes) {
    char format[64];
    char address[160];
    char capabilities[200];
    if (library->tostr_r(format, sizeof format, &info->addr_format, FI_TYPE_ADDR_FORMAT) == NULL) {
        copy_name(format, sizeof format, "?");
    }
    own_address(info, address, sizeof address);
    words(info, delivers, capabilities, sizeof capabilities);
    int length = snprintf(out, bytes, "%s\t%s\t%s\t%s\t%s\t%zu\t%zu\t%s\n", info->fabric_attr->prov_name,
                          info->fabric_attr->name, info->domain_attr->name, format, address,
                          info->ep_attr->max_msg_size, info->tx_attr->inject_size, capabilities);
    if (length >= (int)bytes) {
        out[bytes - 2] = '\n'; /* a line that was cut is a line all the same */
    }
}

struct text {
    char *data;
    size_t used;
    size_t room;
};

static bool append(struct text *text, const char *line) {
    size_t length = strlen(line);
    if (text->used + length + 1 > text->room) {
        size_t room = (text->used + length + 1) * 2;
        char *grown = realloc(text->data, room);
        if (grown == NULL) {
            return false;
        }
        text->data = grown;
        text->room = room;
    }
    memcpy(text->data + text->used, line, length + 1);
    text->used += length;
    return true;
}

/* libfabric names a choice once for each of its ways to get there, which look the same from here. */
static int32_t list(const struct library *library, const struct fi_info *found, char *out, int32_t bytes) {
    struct text text = {NULL, 0, 0};
    int32_t result = append(&text, "") ? 0 : -FI_ENOMEM;
    for (const struct fi_info *info = found; info != NULL && result == 0; info = info->next) {
        char line[LINE_BYTES];
        line_of(library, info, info_delivers(library, info), line, sizeof line);
        if (strstr(text.data, line) == NULL && !append(&text, line)) {
            result = -FI_ENOMEM;
        }
    }
    if (result == 0) {
        result = copy_text(text.data, out, bytes);
    }
    free(text.data);
    return result;
}

/* The options of a question: everything, from a provider or at a node. */
static bool question(const char *provider, const char *node, struct zf_options *options) {
    memset(options, 0, sizeof *options);
    if ((provider != NULL && strnlen(provider, ZF_NAME_BYTES) == ZF_NAME_BYTES) ||
        (node != NULL && strnlen(node, ZF_NODE_BYTES) == ZF_NODE_BYTES)) {
        return false;
    }
    copy_name(options->provider, sizeof options->provider, provider);
    copy_name(options->node, sizeof options->node, node);
    return true;
}

int32_t zf_list(const char *provider, const char *node, char *out, int32_t bytes) {
    struct zf_options options;
    if (bytes < 0 || (out == NULL && bytes > 0) || !question(provider, node, &options)) {
        return ZF_EARG;
    }
    int32_t result = ZF_ELIBRARY;
    table_lock();
    const struct library *library = library_get();
    if (library != NULL) {
        struct fi_info *found = NULL;
        int looked = look(library, &options, 0, &found);
        if (looked == 0 || looked == -FI_ENODATA) {
            result = list(library, found, out, bytes);
        } else {
            result = looked;
        }
        if (found != NULL) {
            library->freeinfo(found);
        }
    }
    table_unlock();
    return result;
}
