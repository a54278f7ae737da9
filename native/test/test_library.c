/* The library as a whole: what loading it does to a process, versions, lists, words for codes. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>

#include "check.h"

/* Callers without a C compiler write these offsets by hand: a change is a new version of the interface. */
_Static_assert(offsetof(struct zf_options, wants) == 4, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, transmit_depth) == 8, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, receive_depth) == 12, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, notification_depth) == 16, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, peers_max) == 20, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, registrations_max) == 24, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, inject_bytes_min) == 32, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, buffered_bytes) == 40, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, provider) == 48, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, domain) == 112, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, fabric) == 176, "layout is part of the interface");
_Static_assert(offsetof(struct zf_options, node) == 240, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, has) == 4, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, message_bytes_max) == 8, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, inject_bytes_max) == 16, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, capabilities) == 24, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, registration_mode) == 32, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, transmit_depth) == 40, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, receive_depth) == 44, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, address_bytes) == 48, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, address_format) == 52, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, provider) == 56, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, domain) == 120, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, fabric) == 184, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, peers_max) == 248, "layout is part of the interface");
_Static_assert(offsetof(struct zf_facts, registrations_max) == 252, "layout is part of the interface");
_Static_assert(offsetof(struct zf_counts, transmits) == 4, "layout is part of the interface");
_Static_assert(offsetof(struct zf_counts, receives) == 8, "layout is part of the interface");
_Static_assert(offsetof(struct zf_counts, registrations) == 12, "layout is part of the interface");
_Static_assert(offsetof(struct zf_counts, peers) == 16, "layout is part of the interface");
_Static_assert(offsetof(struct zf_remote, address) == 8, "layout is part of the interface");
_Static_assert(offsetof(struct zf_remote, bytes) == 16, "layout is part of the interface");
_Static_assert(offsetof(struct zf_rma, flags) == 4, "layout is part of the interface");
_Static_assert(offsetof(struct zf_rma, registration) == 8, "layout is part of the interface");
_Static_assert(offsetof(struct zf_rma, address) == 16, "layout is part of the interface");
_Static_assert(offsetof(struct zf_rma, bytes) == 24, "layout is part of the interface");
_Static_assert(offsetof(struct zf_rma, remote_address) == 32, "layout is part of the interface");
_Static_assert(offsetof(struct zf_rma, remote_key) == 40, "layout is part of the interface");
_Static_assert(offsetof(struct zf_rma, context) == 48, "layout is part of the interface");
_Static_assert(offsetof(struct zf_rma, data) == 56, "layout is part of the interface");
_Static_assert(offsetof(struct zf_completion, bytes) == 8, "layout is part of the interface");
_Static_assert(offsetof(struct zf_completion, kind) == 16, "layout is part of the interface");
_Static_assert(offsetof(struct zf_completion, status) == 20, "layout is part of the interface");
_Static_assert(offsetof(struct zf_completion, data) == 24, "layout is part of the interface");
_Static_assert(offsetof(struct zf_completion, provider_error) == 28, "layout is part of the interface");

struct state {
    int threads;
    int descriptors;
    void *handlers[64];
};

static struct state state_now(void) {
    struct state state;
    memset(&state, 0, sizeof state);
    state.threads = count_entries("/proc/self/task");
    state.descriptors = open_descriptors();
    for (int number = 1; number < 64; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0) {
            memcpy(&state.handlers[number], &action.sa_handler, sizeof(void *));
        }
    }
    return state;
}

static void check_same_handlers(const struct state *left, const struct state *right) {
    for (int number = 1; number < 64; number++) {
        CHECK_IS((intptr_t)left->handlers[number], (intptr_t)right->handlers[number]);
    }
}

/* Runs before the first call: the shim is linked, libfabric must not be loaded yet. */
static void loading_does_nothing(void) {
    CHECK(dlopen("libfabric.so.1", RTLD_NOW | RTLD_NOLOAD) == NULL);
    CHECK_IS(1, count_entries("/proc/self/task"));
    CHECK_IS(0, zf_open_endpoints());
    CHECK_IS(ZF_ABI_VERSION, zf_version());
    CHECK(dlopen("libfabric.so.1", RTLD_NOW | RTLD_NOLOAD) == NULL);
}

static void versions_are_there(void) {
    int32_t version = zf_library_version();
    CHECK(version >= (1 << 16 | 17));
    (void)printf("libfabric %d.%d\n", version >> 16, version & 0xffff);
}

static void codes_have_words(void) {
    char text[128];
    int32_t needed = zf_describe_error(ZF_ESTALE, text, (int32_t)sizeof text);
    CHECK_IS(strlen(text) + 1, needed);
    CHECK(strstr(text, "closed") != NULL);
    memset(text, 'x', sizeof text);
    CHECK_IS(needed, zf_describe_error(ZF_ESTALE, text, 5));
    CHECK_IS(4, strlen(text));
    CHECK_IS('x', text[5]);
    CHECK_IS(needed, zf_describe_error(ZF_ESTALE, NULL, 0));
    CHECK_IS(ZF_EARG, zf_describe_error(ZF_ESTALE, NULL, 5));
    CHECK_IS(ZF_EARG, zf_describe_error(ZF_ESTALE, text, -1));
    CHECK(zf_describe_error(AGAIN, text, (int32_t)sizeof text) > 1);
    CHECK(zf_describe_error(TRUNCATED, text, (int32_t)sizeof text) > 1);
    CHECK(strstr(text, "runcat") != NULL);
    for (int32_t code = ZF_ENODELIVERY; code <= ZF_ESTALE; code++) {
        CHECK(zf_describe_error(code, text, (int32_t)sizeof text) > 10);
    }
    CHECK(zf_describe_error(INT32_MIN, text, (int32_t)sizeof text) > 1);
    CHECK(zf_describe_error(INT32_MAX, text, (int32_t)sizeof text) > 1);
}

static int lines_of(const char *text) {
    int lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static void lists_what_there_is(void) {
    static char all[1 << 16];
    char text[4096];
    int32_t needed = zf_list(NULL, NULL, all, (int32_t)sizeof all);
    CHECK_IS(strlen(all) + 1, needed);
    CHECK(strstr(all, "shm\tshm\tshm\tFI_ADDR_STR\t") != NULL);
    CHECK(strstr(all, "tcp;ofi_rxm\t") != NULL);
    CHECK_IS(needed, zf_list("", "", text, 10));
    CHECK_IS(9, strlen(text));
    CHECK_IS(needed, zf_list("", "", NULL, 0));
    CHECK(zf_list("tcp;ofi_rxm", "127.0.0.1", text, (int32_t)sizeof text) > 1);
    CHECK_IS(1, lines_of(text));
    CHECK(strstr(text, "\t127.0.0.1\t") != NULL);
    CHECK(strstr(text, "rma") != NULL);
    (void)fputs(text, stdout);
    CHECK(zf_list("shm", NULL, text, (int32_t)sizeof text) > 1);
    CHECK(strstr(text, "rma-event") != NULL);
    (void)fputs(text, stdout);
    CHECK_IS(1, zf_list("no-such-provider", NULL, text, (int32_t)sizeof text));
    CHECK_IS(0, strlen(text));
    CHECK_IS(ZF_EARG, zf_list(NULL, NULL, NULL, 5));
    CHECK_IS(ZF_EARG, zf_list(NULL, NULL, text, -5));
    memset(all, 'n', sizeof all);
    all[sizeof all - 1] = '\0';
    CHECK_IS(ZF_EARG, zf_list(all, NULL, text, (int32_t)sizeof text));
    CHECK_IS(ZF_EARG, zf_list(NULL, all, text, (int32_t)sizeof text));
}

static void handlers_stay(const struct state *before) {
    const char *providers[] = {"shm", "tcp;ofi_rxm"};
    for (int i = 0; i < 2; i++) {
        struct zf_options options = options_for(providers[i], ZF_WANT_RMA | ZF_WANT_WAIT);
        int64_t endpoint = open_or_fail(&options);
        struct state during = state_now();
        check_same_handlers(before, &during);
        (void)printf("%s: %d threads, %d descriptors while open\n", providers[i], during.threads - before->threads,
                     during.descriptors - before->descriptors);
        CHECK_IS(0, zf_close(endpoint));
        struct state after = state_now();
        check_same_handlers(before, &after);
        CHECK_IS(before->threads, after.threads);
        CHECK_IS(before->descriptors, after.descriptors);
    }
}

/* In KiB. */
static long resident(void) {
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, (int)sizeof line, status) != NULL) {
        (void)sscanf(line, "VmRSS: %ld kB", &kib);
    }
    CHECK(status != NULL && fclose(status) == 0);
    return kib;
}

/* Some 79 MiB with libfabric's own choice. */
static void endpoints_are_not_large(void) {
    struct zf_options options = options_for("tcp;ofi_rxm", ZF_WANT_RMA);
    CHECK_IS(0, zf_close(open_or_fail(&options)));
    long before = resident();
    int64_t endpoint = open_or_fail(&options);
    long grown = resident() - before;
    (void)printf("tcp;ofi_rxm: an endpoint has %ld KiB\n", grown);
    (void)fflush(stdout);
    CHECK(before > 0 && grown < 60 * 1024);
    CHECK_IS(0, zf_close(endpoint));
    CHECK(getenv("FI_OFI_RXM_BUFFER_SIZE") == NULL);
}

static void on_segv(int number) {
    (void)number;
}

int main(void) {
    /* As a JVM has one. */
    CHECK(signal(SIGSEGV, on_segv) != SIG_ERR);
    loading_does_nothing();
    struct state before = state_now();
    versions_are_there();
    struct state loaded = state_now();
    check_same_handlers(&before, &loaded);
    CHECK_IS(before.threads, loaded.threads);
    codes_have_words();
    lists_what_there_is();
    /* What libfabric keeps open from its first look at devices on is not the endpoints'. */
    struct state looked = state_now();
    handlers_stay(&looked);
    endpoints_are_not_large();
    CHECK(getenv("IPATH_NO_BACKTRACE") == NULL);
    return 0;
}
