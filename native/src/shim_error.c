/* Codes in words. */
#include <stdio.h>
#include <string.h>

#include "shim.h"

static const char *own_text(int32_t code) {
    switch (code) {
    case ZF_ESTALE:
        return "handle is closed, or of another kind or endpoint";
    case ZF_EARG:
        return "argument is out of range";
    case ZF_ENOWAIT:
        return "endpoint has no wait object";
    case ZF_ENONOTIFY:
        return "provider cannot notify of remote writes";
    case ZF_ENORMA:
        return "endpoint has no remote memory access";
    case ZF_EACCESS:
        return "registration is missing or not made for this use";
    case ZF_ELIMIT:
        return "table is full";
    case ZF_EVERSION:
        return "structure has a size of another version";
    case ZF_ELIBRARY:
        return library_problem() == NULL ? "libfabric.so.1, version 1.17 or newer, is not installed" : library_problem();
    case ZF_ENODELIVERY:
        return "provider cannot complete on delivery";
    default:
        return NULL;
    }
}

/* libfabric's words if it is loaded already; a code of the system needs no library to be described. */
static const char *text_of(int32_t code) {
    const char *text = own_text(code);
    if (text != NULL) {
        return text;
    }
    const struct library *library = library_peek();
    int positive = code < 0 && code > INT32_MIN ? -code : code;
    return library == NULL ? strerror(positive) : library->strerror(positive);
}

int32_t copy_text(const char *text, char *out, int32_t bytes) {
    size_t needed = strlen(text) + 1;
    if (bytes > 0) {
        size_t copied = needed - 1 < (size_t)bytes - 1 ? needed - 1 : (size_t)bytes - 1;
        memcpy(out, text, copied);
        out[copied] = '\0';
    }
    return (int32_t)needed;
}

int32_t zf_describe_error(int32_t code, char *out, int32_t bytes) {
    if (bytes < 0 || (out == NULL && bytes > 0)) {
        return ZF_EARG;
    }
    return copy_text(text_of(code), out, bytes);
}

void error_keep(struct endpoint *endpoint, const struct fi_cq_err_entry *error, int32_t status) {
    char provider[ERROR_TEXT_BYTES / 2] = "";
    const char *words =
        fi_cq_strerror(endpoint->cq, error->prov_errno, error->err_data, provider, sizeof provider);
    (void)snprintf(endpoint->error_text, sizeof endpoint->error_text, "%s (%d); provider: %s (%d)",
                   text_of(status), status, words == NULL ? "" : words, error->prov_errno);
}

int32_t zf_last_error(int64_t handle, char *out, int32_t bytes) {
    struct endpoint *endpoint = endpoint_of(handle);
    if (endpoint == NULL) {
        return ZF_ESTALE;
    }
    if (bytes < 0 || (out == NULL && bytes > 0)) {
        return ZF_EARG;
    }
    return copy_text(endpoint->error_text, out, bytes);
}
